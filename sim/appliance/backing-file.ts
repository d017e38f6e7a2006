import { failure } from "./failure.ts";
import { fileSystemOf, findEntry, requireWritable } from "./file-places.ts";
import type { FileEntry } from "./file-tree.ts";
import type { Machine } from "./machine.ts";
import { requireSpace } from "./space.ts";

/** @throws {ConsoleError} when there is no file at `path`, for instance because it was removed. */
export function backingFile(path: string, machine: Machine): FileEntry {
  const entry = findEntry(path, machine);
  if (entry === undefined) throw failure(`file "${path}" does not exist`);
  if (entry.kind !== "file") throw failure(`"${path}" is not a file`);
  return entry;
}

/**
 * Grows the file at `path`.
 * @throws {ConsoleError} for a smaller size (nobody has seen a device shrink one), or without space.
 */
export async function resizeBackingFile(
  path: string,
  bytes: number,
  machine: Machine,
): Promise<void> {
  const file = backingFile(path, machine);
  const fileSystem = fileSystemOf(path, machine);
  if (bytes === file.size || fileSystem === undefined) return;
  if (bytes < file.size) throw failure("file-size cannot be reduced");
  requireWritable(file.parent);
  await requireSpace(fileSystem, bytes - file.size, machine);
  await machine.backEnd.files.growImage(path, bytes);
  fileSystem.grow(file, bytes);
}
