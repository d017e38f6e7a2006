import { randomUUID } from "node:crypto";
import type { Directory, Entry, Extent, FileEntry, Subvolume } from "./file-tree.ts";
import type { Numbering } from "./numbering.ts";

export type FileSystemType = "btrfs" | "xfs" | "ext4";

export interface FileSystemFacts {
  /** One path component, equal to the slot unless configured otherwise. */
  readonly mountPoint: string;
  readonly type: FileSystemType;
  readonly label: string;
  readonly uuid: string;
  /** Bytes of the block device below. */
  readonly size: number;
}

/** Where an entry is to appear. */
export interface Place {
  readonly parent: Directory;
  readonly name: string;
}

/** The tree of one mounted file system and the space that its files take, snapshots sharing theirs. */
export class FileSystem {
  readonly facts: FileSystemFacts;
  readonly root: Directory;
  /** Bytes that something else than the files in the tree takes; for tests of a filling pool. */
  foreignBytes = 0;
  readonly #numbering: Numbering;
  readonly #subvolumes = new Map<string, Directory>();
  #usedBytes = 0;
  #entryCount = 0;

  /** @param rootNumber - Of the mount point in `/file`, where a restored file system has one already. */
  constructor(facts: FileSystemFacts, numbering: Numbering, rootNumber?: number) {
    this.facts = facts;
    this.#numbering = numbering;
    const number = rootNumber ?? numbering.next("file");
    this.root = emptyDirectory({ parent: undefined, name: facts.mountPoint }, number, undefined);
  }

  /** Bytes of all files, counting shared ones once. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Files and directories, the root not counted. */
  get entryCount(): number {
    return this.#entryCount;
  }

  /** Every subvolume but the top level, oldest first. */
  get subvolumes(): Iterable<Directory> {
    return this.#subvolumes.values();
  }

  subvolumeByUuid(uuid: string): Directory | undefined {
    return this.#subvolumes.get(uuid);
  }

  /** Finds by canonical path, which begins with the mount point. */
  find(path: string): Entry | undefined {
    const [first, ...names] = path.split("/");
    if (first !== this.facts.mountPoint) return undefined;
    let at: Entry | undefined = this.root;
    for (const name of names) at = at?.kind === "directory" ? at.children.get(name) : undefined;
    return at;
  }

  createFile(place: Place, size: number, contents?: string): FileEntry {
    const file: FileEntry = {
      kind: "file",
      number: this.#numbering.next("file"),
      ...place,
      size,
      modified: new Date(),
      contents,
      extents: [this.#claim(size)],
    };
    this.attach(file);
    return file;
  }

  createDirectory(place: Place): Directory {
    return this.attach(this.#directory(place, undefined));
  }

  createSubvolume(place: Place, readOnly: boolean): Directory {
    return this.attach(this.#directory(place, this.#newSubvolume(undefined, readOnly)));
  }

  /** Copies the tree of a subvolume, sharing the space; subvolumes in it become empty directories. */
  snapshot(source: Directory, place: Place, readOnly: boolean): Directory {
    const copy = this.#directory(place, this.#newSubvolume(source.subvolume?.uuid, readOnly));
    this.#copyChildren(source, copy);
    return this.attach(copy);
  }

  /** Copies a file or a directory with everything in it; the copy shares no space. */
  copy(source: Entry, place: Place): void {
    if (source.kind === "file") {
      this.createFile(place, source.size, source.contents);
      return;
    }
    const children = [...source.children.values()];
    const copy = this.createDirectory(place);
    for (const child of children) this.copy(child, { parent: copy, name: child.name });
  }

  /** Appends room to a file; what a snapshot shares with it stays shared. */
  grow(file: FileEntry, size: number): void {
    file.extents.push(this.#claim(size - file.size));
    file.size = size;
    file.modified = new Date();
  }

  /** Forgets the data of a file and gives it a new size. */
  truncate(file: FileEntry, size: number, contents?: string): void {
    for (const extent of file.extents) this.#release(extent);
    file.extents = [this.#claim(size)];
    file.size = size;
    file.contents = contents;
    file.modified = new Date();
  }

  /** Takes an entry with everything below it out of the tree. */
  remove(entry: Entry): void {
    this.detach(entry);
    this.#forget(entry);
  }

  move(entry: Entry, place: Place): void {
    this.detach(entry);
    entry.name = place.name;
    entry.parent = place.parent;
    this.attach(entry);
  }

  /** Puts an entry, restored or moved, at its place in the tree. */
  attach<T extends Entry>(entry: T): T {
    if (entry.parent === undefined) throw new Error("Cannot attach the root of a file system");
    entry.parent.children.set(entry.name, entry);
    this.#entryCount += 1;
    entry.parent.modified = new Date();
    if (entry.kind === "directory" && entry.subvolume !== undefined)
      this.#subvolumes.set(entry.subvolume.uuid, entry);
    return entry;
  }

  detach(entry: Entry): void {
    if (entry.parent?.children.delete(entry.name) !== true) return;
    this.#entryCount -= 1;
    entry.parent.modified = new Date();
  }

  /** Counts an extent of a restored state, once however many files own it. */
  restoreExtent(extent: Extent): void {
    this.#usedBytes += extent.bytes;
  }

  #directory(place: Place, subvolume?: Subvolume): Directory {
    return emptyDirectory(place, this.#numbering.next("file"), subvolume);
  }

  #newSubvolume(parentUuid: string | undefined, readOnly: boolean): Subvolume {
    return {
      number: this.#numbering.next("subvolume"),
      treeId: this.#numbering.next("tree"),
      generation: this.#numbering.next("generation"),
      uuid: randomUUID(),
      parentUuid,
      created: new Date(),
      readOnly,
    };
  }

  #copyChildren(source: Directory, target: Directory): void {
    for (const child of source.children.values()) {
      this.#entryCount += 1;
      if (child.kind === "file") {
        const number = this.#numbering.next("file");
        for (const extent of child.extents) extent.owners += 1;
        const extents = [...child.extents];
        target.children.set(child.name, { ...child, number, parent: target, extents });
      } else {
        const copy = this.#directory({ name: child.name, parent: target }, undefined);
        target.children.set(child.name, copy);
        if (child.subvolume === undefined) this.#copyChildren(child, copy);
      }
    }
  }

  #forget(entry: Entry): void {
    if (entry.kind === "file") {
      for (const extent of entry.extents) this.#release(extent);
      return;
    }
    if (entry.subvolume !== undefined) this.#subvolumes.delete(entry.subvolume.uuid);
    this.#entryCount -= entry.children.size;
    for (const child of entry.children.values()) this.#forget(child);
  }

  #claim(bytes: number): Extent {
    this.#usedBytes += bytes;
    return { bytes, owners: 1 };
  }

  #release(extent: Extent): void {
    extent.owners -= 1;
    if (extent.owners === 0) this.#usedBytes -= extent.bytes;
  }
}

function emptyDirectory(
  place: Pick<Directory, "name" | "parent">,
  number: number,
  subvolume: Subvolume | undefined,
): Directory {
  const { name, parent } = place;
  const [modified, children] = [new Date(), new Map()];
  return { kind: "directory", number, name, parent, modified, children, subvolume };
}
