import { failure } from "./failure.ts";
import type { FileSystem, Place } from "./file-system.ts";
import { containingSubvolume, type Directory, type Entry, pathOf } from "./file-tree.ts";
import type { Machine } from "./machine.ts";
import { canonicalPath, splitPath } from "./paths.ts";

/** An existing or future entry: where it is or would be. */
export interface Target extends Place {
  readonly path: string;
  readonly fileSystem: FileSystem;
  readonly existing: Entry | undefined;
}

/** The file system that a canonical path is on, by its first component. */
export function fileSystemOf(path: string, machine: Machine): FileSystem | undefined {
  return machine.fileSystems.get(path.split("/", 1)[0] ?? "");
}

/** The entry at a canonical path of any file system. */
export function findEntry(path: string, machine: Machine): Entry | undefined {
  return fileSystemOf(path, machine)?.find(path);
}

/**
 * Resolves a path that a command names; with or without leading slash.
 * @param missing - Whether directories on the way are created.
 * @throws {ConsoleError} when the path leads nowhere.
 */
export async function resolveTarget(
  text: string,
  missing: "fail" | "create",
  machine: Machine,
): Promise<Target> {
  const path = canonicalPath(text);
  const fileSystem = path === undefined ? undefined : fileSystemOf(path, machine);
  if (path === undefined || fileSystem === undefined)
    throw failure(`no mounted disk for path "${text}"`);
  const { parent: parentPath, leaf } = splitPath(path);
  if (parentPath === "") throw failure(`"${path}" is a mount point`);
  const parent = await directoryAt(
    parentPath,
    fileSystem,
    missing === "create" ? machine : undefined,
  );
  return { path, fileSystem, parent, name: leaf, existing: parent.children.get(leaf) };
}

/** Finds a directory; with a machine given creates what is missing on the way. */
async function directoryAt(
  path: string,
  fileSystem: FileSystem,
  creator: Machine | undefined,
): Promise<Directory> {
  let at = fileSystem.root;
  for (const name of path.split("/").slice(1)) {
    const next = at.children.get(name);
    if (next?.kind === "file") throw failure(`"${pathOf(next)}" is not a directory`);
    if (next === undefined && creator === undefined) throw failure(`no such directory "${path}"`);
    at = next ?? (await makeDirectory({ parent: at, name }, fileSystem, creator));
  }
  return at;
}

async function makeDirectory(
  place: Place,
  fileSystem: FileSystem,
  creator: Machine | undefined,
): Promise<Directory> {
  await creator?.backEnd.files.makeDirectory(`${pathOf(place.parent)}/${place.name}`);
  return fileSystem.createDirectory(place);
}

/** @throws {ConsoleError} when `directory` lies in a read-only snapshot. */
export function requireWritable(directory: Directory): void {
  const subvolume = directory.subvolume === undefined ? containingSubvolume(directory) : directory;
  if (subvolume?.subvolume?.readOnly === true) throw failure("read-only file system");
}
