import { FileSystem, type FileSystemFacts } from "./file-system.ts";
import type { Directory, Entry, Extent, Subvolume } from "./file-tree.ts";
import type { Numbering } from "./numbering.ts";

interface SavedFile {
  readonly number: number;
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly modified: number;
  readonly size: number;
  readonly contents?: string;
  /** Indices into the extents of the file system. */
  readonly extents: readonly number[];
}

interface SavedDirectory {
  readonly number: number;
  readonly name: string;
  readonly modified: number;
  readonly subvolume?: Omit<Subvolume, "created"> & { readonly created: number };
  readonly entries: readonly SavedEntry[];
}

type SavedEntry = SavedFile | SavedDirectory;

export interface SavedFileSystem {
  readonly facts: FileSystemFacts;
  readonly foreignBytes: number;
  readonly root: { readonly number: number; readonly modified: number };
  /** Bytes of each extent. */
  readonly extents: readonly number[];
  readonly entries: readonly SavedEntry[];
}

export function saveFileSystem({ facts, foreignBytes, root }: FileSystem): SavedFileSystem {
  const indices = new Map<Extent, number>();
  const indexOf = (extent: Extent): number => {
    const index = indices.get(extent) ?? indices.size;
    indices.set(extent, index);
    return index;
  };
  const entries = [...root.children.values()].map((entry) => saveEntry(entry, indexOf));
  const extents = [...indices.keys()].map(({ bytes }) => bytes);
  const { number, modified } = root;
  return { facts, foreignBytes, root: { number, modified: modified.getTime() }, extents, entries };
}

export function restoreFileSystem(saved: SavedFileSystem, numbering: Numbering): FileSystem {
  const fileSystem = new FileSystem(saved.facts, numbering, saved.root.number);
  fileSystem.foreignBytes = saved.foreignBytes;
  const extents = saved.extents.map((bytes) => ({ bytes, owners: 0 }));
  for (const extent of extents) fileSystem.restoreExtent(extent);
  for (const entry of saved.entries) restoreEntry(entry, fileSystem.root, { fileSystem, extents });
  fileSystem.root.modified = new Date(saved.root.modified);
  return fileSystem;
}

function saveEntry(entry: Entry, indexOf: (extent: Extent) => number): SavedEntry {
  const { number, name } = entry;
  const modified = entry.modified.getTime();
  if (entry.kind === "file") {
    const { size, contents } = entry;
    const extents = entry.extents.map(indexOf);
    return {
      number,
      name,
      modified,
      size,
      ...(contents === undefined ? {} : { contents }),
      extents,
    };
  }
  const { subvolume } = entry;
  const entries = [...entry.children.values()].map((child) => saveEntry(child, indexOf));
  if (subvolume === undefined) return { number, name, modified, entries };
  const created = subvolume.created.getTime();
  return { number, name, modified, subvolume: { ...subvolume, created }, entries };
}

interface Restored {
  readonly fileSystem: FileSystem;
  readonly extents: readonly Extent[];
}

function restoreEntry(saved: SavedEntry, parent: Directory, restored: Restored): void {
  const entry = "size" in saved ? fileFrom(saved, parent, restored) : directoryFrom(saved, parent);
  restored.fileSystem.attach(entry);
  if ("entries" in saved && entry.kind === "directory")
    for (const child of saved.entries) restoreEntry(child, entry, restored);
  entry.modified = new Date(saved.modified);
}

function fileFrom(saved: SavedFile, parent: Directory, { extents }: Restored): Entry {
  const owned = saved.extents.map((index) => extents[index]).filter((each) => each !== undefined);
  for (const extent of owned) extent.owners += 1;
  const { number, name, size, contents } = saved;
  const modified = new Date(saved.modified);
  return { kind: "file", number, name, parent, size, modified, contents, extents: owned };
}

function directoryFrom(saved: SavedDirectory, parent: Directory): Directory {
  const { number, name, subvolume } = saved;
  return {
    kind: "directory",
    number,
    name,
    parent,
    modified: new Date(saved.modified),
    children: new Map(),
    subvolume: subvolume && { ...subvolume, created: new Date(subvolume.created) },
  };
}
