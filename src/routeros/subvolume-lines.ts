import type { Origin } from "#domain/origin.ts";
import type { NewVolume } from "#domain/ports/volume-store.ts";
import { formatSnapshotLeaf, type SnapshotKey, type SnapshotLeaf } from "#domain/snapshot-id.ts";
import type { Volume } from "#domain/volume.ts";
import { type Command, command } from "./command.ts";
import { canonicalPath, literalPattern } from "./paths.ts";
import { type ImagePlace, type Place, subvolumeName } from "./place.ts";
import type { PoolRow } from "./pool-row.ts";
import {
  bySlot,
  isUnused,
  poolIsMounted,
  printJson,
  subvolumeOf,
  usersOfImage,
} from "./queries.ts";
import { addEntry, createdMark } from "./volume-lines.ts";

/** A pool of subvolumes, as its commands name it. */
export interface SubvolumePool {
  readonly place: Place;
  readonly fsLabel: string;
}

const menu = command`/disk/btrfs/subvolume`;

/**
 * The folder of this cluster's snapshots from the pool's top, a subvolume itself. No slot begins with `_`, so no volume
 * can take its place; and the last part of a subvolume's name should be unique on the file system (RouterOS manual,
 * "Btrfs": `parent=` and `remove` go by it), also where two clusters share a pool.
 */
export function snapshotFolder({ baseDirectory, clusterId }: Place): string {
  return canonicalPath(`${baseDirectory}/${clusterId}/_snapshots.${clusterId}`);
}

/** The snapshots of this cluster; with a key, those which bear it, whatever their source. */
export function snapshotsOf({ place, fsLabel }: SubvolumePool, key?: SnapshotKey): Command {
  const start = `${snapshotFolder(place)}/${key === undefined ? "" : `${key}.`}`;
  return command`fs=${fsLabel} fullname~${`^${literalPattern(start)}`}`;
}

/** The subvolume that a copy is made of; a snapshot that was made writable is none. */
export function subvolumeOfOrigin(pool: SubvolumePool, origin: Origin): Command {
  if (origin.type === "volume") return subvolumeOf(pool.place, origin.slot, pool.fsLabel);
  return snapshotItem(pool, origin.leaf);
}

/** The name by which RouterOS shows the origin as parent of its copies. */
export function parentName(origin: Origin): string {
  return origin.type === "volume" ? origin.slot : formatSnapshotLeaf(origin.leaf);
}

export function printSnapshots(where: Command): Command {
  return printJson(
    command`${menu}/print detail as-value proplist=name,read-only,creation-time where ${where}`,
  );
}

/** What each of some subvolumes was made from. */
export function printLineage(where: Command): Command {
  return printJson(
    command`${menu}/print detail as-value proplist=fullname,parent,uuid where ${where}`,
  );
}

/** The images in the snapshots of a key: without one, a snapshot holds nothing to restore. */
export function imagesOf(place: Place, key: SnapshotKey): Command {
  const start = canonicalPath(`${place.mountPoint}/${snapshotFolder(place)}/${key}.`);
  return command`name~${`^${literalPattern(start)}[^/]*/disk\\.img$`}`;
}

/**
 * Takes a snapshot unless one of that key is there. The size stands in its name, so it is taken only while the
 * volume has the size that was read. The source is named by its item: two clusters may have a folder of that name.
 */
export function snapshotLine(volume: Volume, key: SnapshotKey, pool: SubvolumePool): Command {
  const { slot, layout, sizeBytes } = volume;
  const { place, fsLabel } = pool;
  const folder = snapshotFolder(place);
  const leaf = formatSnapshotLeaf({ key, source: slot, sizeBytes });
  const source = command`[${menu}/find ${subvolumeOf(place, slot, fsLabel)}]`;
  const unchanged = command`([:len [/disk/find where ${bySlot(slot)} and size=${sizeBytes} and ${usersOfImage({ place, slot, layout })}]] = 1) && ([:len ${source}] = 1)`;
  const isNew = command`([:len [${menu}/find ${snapshotsOf(pool, key)}]] = 0)`;
  const makeFolder = command`:if ([:len [${menu}/find fs=${fsLabel} fullname=${folder}]] = 0) do={ ${menu}/add fs=${fsLabel} name=${folder} }`;
  return command`:if (${poolIsMounted(place)} && ${unchanged} && ${isNew}) do={ ${makeFolder}; ${menu}/add fs=${fsLabel} parent=${source} name=${`${folder}/${leaf}`} read-only=yes }`;
}

/** Removes one snapshot; volumes made from it keep their blocks. */
export function removeSnapshotLine(leaf: SnapshotLeaf, pool: SubvolumePool): Command {
  return command`${menu}/remove [find ${snapshotItem(pool, leaf)}]`;
}

/**
 * Makes a volume of the origin's content if slot and place are free. The image is taken over as it is, without a
 * size: what RouterOS does to a file of another size is not known, and cutting it short would destroy the copy.
 */
export function copyLine(
  image: ImagePlace,
  { sizeBytes, tag }: NewVolume,
  origin: Origin,
  { fsLabel, nvmePort }: Pick<PoolRow, "fsLabel"> & { readonly nvmePort: number },
): Command {
  const { place, slot } = image;
  const pool = { place, fsLabel };
  const source = command`[${menu}/find ${subvolumeOfOrigin(pool, origin)}]`;
  const free = command`${poolIsMounted(place)} && ${isUnused(image)} && ([:len [${menu}/find ${subvolumeOf(place, slot, fsLabel)}]] = 0) && ([:len ${source}] = 1)`;
  const copy = command`${menu}/add fs=${fsLabel} parent=${source} name=${subvolumeName(place, slot)} read-only=no`;
  const grow = command`/disk/set [find where ${bySlot(slot)} and size<${sizeBytes}] file-size=${sizeBytes}`;
  return command`:if (${free}) do={ ${copy}; ${addEntry(image, tag, nvmePort)}; ${grow}; :put ${createdMark} }`;
}

/** Removes the one subvolume of that UUID at the volume's place, unless a disk has to do with it. */
export function removeLeftoverLine(image: ImagePlace, uuid: string, fsLabel: string): Command {
  const { place, slot } = image;
  return command`:if ${isUnused(image)} do={ ${menu}/remove [find ${subvolumeOf(place, slot, fsLabel)} uuid=${uuid}] }`;
}

function snapshotItem({ place, fsLabel }: SubvolumePool, leaf: SnapshotLeaf): Command {
  const fullName = `${snapshotFolder(place)}/${formatSnapshotLeaf(leaf)}`;
  return command`fs=${fsLabel} fullname=${fullName} read-only=yes`;
}
