import { failure } from "./failure.ts";
import type { FileSystem } from "./file-system.ts";
import type { Machine } from "./machine.ts";

/** Free bytes of a file system, by the switch `allocation`. */
export async function freeBytes(fileSystem: FileSystem, machine: Machine): Promise<number> {
  const taken = await takenBytes(fileSystem, machine);
  return Math.max(0, fileSystem.facts.size - taken - fileSystem.foreignBytes);
}

async function takenBytes(fileSystem: FileSystem, { switches, backEnd }: Machine): Promise<number> {
  const { mountPoint } = fileSystem.facts;
  switch (switches.get("allocation")) {
    case "full":
      return fileSystem.usedBytes;
    case "sparse":
      return await backEnd.files.writtenBytes(mountPoint);
    case "host":
      return await backEnd.files.usedOfFileSystem(mountPoint);
  }
}

/**
 * Makes sure that `bytes` more fit; with sparse files anything fits until nothing is free.
 * @throws {ConsoleError} `failure: not enough space`.
 */
export async function requireSpace(
  fileSystem: FileSystem,
  bytes: number,
  machine: Machine,
): Promise<void> {
  const needed = machine.switches.get("allocation") === "full" ? bytes : Math.min(bytes, 1);
  if (needed > (await freeBytes(fileSystem, machine))) throw failure("not enough space");
}
