/** Bytes on a file system; shared by a file and its snapshots, freed with the last owner. */
export interface Extent {
  readonly bytes: number;
  owners: number;
}

export interface FileEntry {
  readonly kind: "file";
  readonly number: number;
  name: string;
  parent: Directory;
  size: number;
  modified: Date;
  /** Text of small files written through `/file`; images have none. */
  contents: string | undefined;
  extents: Extent[];
}

export interface Directory {
  readonly kind: "directory";
  readonly number: number;
  name: string;
  parent: Directory | undefined;
  modified: Date;
  readonly children: Map<string, Entry>;
  /** Set when the directory is the root of a Btrfs subvolume. */
  readonly subvolume: Subvolume | undefined;
}

export interface Subvolume {
  /** Of the `/disk/btrfs/subvolume` item. */
  readonly number: number;
  /** Btrfs tree id, 256 and up. */
  readonly treeId: number;
  readonly uuid: string;
  /** The subvolume it is a snapshot of, which may be gone by now. */
  readonly parentUuid: string | undefined;
  readonly created: Date;
  readonly generation: number;
  readOnly: boolean;
}

export type Entry = FileEntry | Directory;

/** Canonical path, beginning with the mount point. */
export function pathOf(entry: Entry): string {
  const names: string[] = [];
  for (let at: Entry | undefined = entry; at !== undefined; at = at.parent) names.push(at.name);
  return names.reverse().join("/");
}

/** Everything below `directory`, parents before children. */
export function* entriesBelow(directory: Directory): Generator<Entry> {
  for (const child of directory.children.values()) {
    yield child;
    if (child.kind === "directory") yield* entriesBelow(child);
  }
}

/** The closest subvolume that holds `entry`, or `undefined` for the top level of the file system. */
export function containingSubvolume(entry: Entry): Directory | undefined {
  let at = entry.parent;
  while (at !== undefined && at.subvolume === undefined) at = at.parent;
  return at;
}
