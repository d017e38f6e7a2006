import type { Flag, Property, Row } from "#sim/console/menu.ts";
import type { Value } from "#sim/console/value.ts";
import type { FileSystem } from "./file-system.ts";
import { containingSubvolume, type Directory, pathOf, type Subvolume } from "./file-tree.ts";
import { localTime } from "./local-time.ts";
import type { Machine } from "./machine.ts";
import { itemId } from "./numbering.ts";

/** Kinds of printing, and whether the plain table shows them (RouterOS manual, Btrfs subvolumes). */
export const subvolumeProperties: readonly Property[] = [
  { name: "fs", kind: "word", brief: true },
  { name: "name", kind: "string", brief: true },
  { name: "parent", kind: "string", brief: true },
  { name: "read-only", kind: "boolean", brief: false },
  { name: "top-level", kind: "string", brief: true },
  { name: "fullname", kind: "string", brief: false },
  { name: "path", kind: "string", brief: false },
  { name: "uuid", kind: "string", brief: false },
  { name: "received-uuid", kind: "string", brief: false },
  { name: "creation-time", kind: "word", brief: true },
  { name: "subvolume-id", kind: "number", brief: false },
  { name: "generation", kind: "number", brief: false },
  { name: "snapshots", kind: "list", brief: false },
  { name: "default", kind: "boolean", brief: false, flagOnly: true },
  { name: "snapshot", kind: "boolean", brief: false, flagOnly: true },
  { name: "dead", kind: "boolean", brief: false, flagOnly: true },
  { name: "mounted", kind: "boolean", brief: false, flagOnly: true },
];

export const subvolumeFlags: readonly Flag[] = [
  { letter: "*", property: "default", group: 0 },
  { letter: "S", property: "snapshot", group: 1 },
  { letter: "r", property: "read-only", group: 2 },
  { letter: "D", property: "dead", group: 3 },
  { letter: "M", property: "mounted", group: 4 },
];

/** A subvolume with the directory that is its root. */
export type SubvolumeDirectory = Directory & { readonly subvolume: Subvolume };

export function isSubvolumeRoot(directory: Directory): directory is SubvolumeDirectory {
  return directory.subvolume !== undefined;
}

export function subvolumeRows(machine: Machine): readonly Row[] {
  return [...machine.fileSystems.values()]
    .filter(({ facts }) => facts.type === "btrfs")
    .flatMap((fileSystem) => rowsOf(fileSystem, machine.names.timeZone));
}

function rowsOf(fileSystem: FileSystem, zone: string): Row[] {
  const directories = [...fileSystem.subvolumes].filter(isSubvolumeRoot);
  const snapshots = Map.groupBy(directories, ({ subvolume }) => subvolume.parentUuid);
  return directories.map((directory) => ({
    id: itemId(directory.subvolume.number),
    values: valuesOf(directory, fileSystem, {
      snapshots: snapshots.get(directory.subvolume.uuid) ?? [],
      zone,
    }),
  }));
}

function valuesOf(
  directory: SubvolumeDirectory,
  fileSystem: FileSystem,
  { snapshots, zone }: { readonly snapshots: readonly Directory[]; readonly zone: string },
): ReadonlyMap<string, Value> {
  const { subvolume } = directory;
  const path = pathOf(directory);
  const parent =
    subvolume.parentUuid === undefined
      ? undefined
      : fileSystem.subvolumeByUuid(subvolume.parentUuid);
  return new Map<string, Value>([
    ["fs", fileSystem.facts.label],
    ["name", directory.name],
    // The parent's name is looked up, so it is empty once the parent is deleted.
    ["parent", parent?.name ?? ""],
    ["read-only", subvolume.readOnly],
    ["top-level", containingSubvolume(directory)?.name ?? "<FS_ROOT>"],
    ["fullname", path.slice(fileSystem.facts.mountPoint.length + 1)],
    ["path", path],
    ["uuid", subvolume.uuid],
    ["received-uuid", ""],
    ["creation-time", localTime(subvolume.created, zone)],
    ["subvolume-id", subvolume.treeId],
    ["generation", subvolume.generation],
    ["snapshots", snapshots.map(({ name }) => name)],
    ["snapshot", subvolume.parentUuid !== undefined],
    ["default", false],
    ["dead", false],
    ["mounted", false],
  ]);
}
