import { lstat, stat, unlink } from "node:fs/promises";
import { connect } from "node:net";
import { dirname } from "node:path";
import { DriverError } from "#domain/errors.ts";

/**
 * Makes way for a new socket at `path`: removes one that a crashed process left behind.
 * @throws {DriverError} `failed-precondition` when something listens there, or it is not a socket.
 */
export async function clearSocketFile(path: string): Promise<void> {
  const found = await lstat(path).catch(absent);
  if (found === undefined) return await requireFolder(path);
  if (!found.isSocket()) throw refusal(path, "it is there and is not a socket");
  const state = await probe(path);
  if (state === "live") throw refusal(path, "another process is listening there");
  if (state === "dead") await unlink(path).catch(absent);
}

/** libuv reports a missing folder as "permission denied". */
async function requireFolder(path: string): Promise<void> {
  const folder = dirname(path);
  if ((await stat(folder).catch(absent)) === undefined)
    throw refusal(path, `the folder "${folder}" does not exist`);
}

/** What a connection to a socket file tells about it; `gone` when it has just been removed. */
function probe(path: string): Promise<"live" | "dead" | "gone"> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    socket.once("connect", () => {
      socket.destroy();
      resolve("live");
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED") resolve("dead");
      else if (error.code === "ENOENT") resolve("gone");
      else reject(refusal(path, `it cannot be tried (${error.code})`));
    });
  });
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}

function refusal(path: string, state: string): DriverError {
  return new DriverError("failed-precondition", `Cannot listen on "${path}": ${state}`);
}
