import { failure } from "./failure.ts";
import type { FileSystem } from "./file-system.ts";
import type { Machine } from "./machine.ts";

/** Free bytes of a file system, by the switch `allocation`. */
export async function freeBytes(fileSystem: FileSystem, machine: Machine): Promise<number> {
  const { mountPoint, size } = fileSystem.facts;
  const taken =
    machine.switches.get("allocation") === "full"
      ? fileSystem.usedBytes
      : await machine.backEnd.files.writtenBytes(mountPoint);
  return Math.max(0, size - taken - fileSystem.foreignBytes);
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
