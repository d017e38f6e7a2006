import type { DeviceContent } from "#domain/ports/filesystems.ts";
import type { Context } from "#lib/context.ts";
import type { Exec } from "#linux/exec.ts";
import { ExecError } from "#linux/exec-error.ts";
import { toolFailure } from "#linux/tool-failure.ts";

const limitMs = 30_000;

/** Exit codes of blkid(8). 2 stands for "nothing found", and also for a device that it could not open. */
const nothingFound = 2;
const ambivalent = 8;

/**
 * Asks blkid what is on the device itself, past any cache.
 * @returns `undefined` when it found nothing and said nothing: a word on stderr would be a failure to read.
 * @throws {DriverError} `unavailable` for any other exit code, because that is not a blank device.
 */
export async function probe(
  exec: Exec,
  device: string,
  ctx: Context,
): Promise<DeviceContent | undefined> {
  try {
    const args = ["-p", "-o", "export", "--", device];
    const { stdout } = await exec({ file: "blkid", args, timeoutMs: limitMs }, ctx);
    return contentFrom(parseTags(stdout));
  } catch (error) {
    if (!(error instanceof ExecError)) throw error;
    if (error.exitCode === ambivalent) return { kind: "other", description: "several signatures" };
    const silent = error.stdout.trim() === "" && error.stderr.trim() === "";
    if (error.exitCode === nothingFound && silent) return undefined;
    throw toolFailure(`Cannot tell what is on "${device}"`, error, "unavailable");
  }
}

/** `KEY=value` lines; blkid puts a backslash before characters that a shell would read. */
export function parseTags(text: string): Map<string, string> {
  const lines = text.split("\n").filter((line) => line.includes("="));
  return new Map(
    lines.map((line) => {
      const at = line.indexOf("=");
      return [line.slice(0, at), line.slice(at + 1).replace(/\\(.)/g, "$1")];
    }),
  );
}

/** Only one file system and nothing beside it counts as a file system. */
export function contentFrom(tags: ReadonlyMap<string, string>): DeviceContent {
  const fsType = tags.get("TYPE");
  const table = tags.get("PTTYPE");
  if (tags.get("USAGE") === "filesystem" && fsType !== undefined && table === undefined)
    return { kind: "filesystem", fsType, uuid: tags.get("UUID") };
  const found = [fsType, table && `partition table (${table})`].filter((part) => part);
  return { kind: "other", description: found.join(" and ") || "an unknown signature" };
}
