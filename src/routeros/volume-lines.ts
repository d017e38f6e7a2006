import type { NewVolume, VolumeChange } from "#domain/ports/volume-store.ts";
import type { Volume } from "#domain/volume.ts";
import { formatVolumeTag, type VolumeTag } from "#domain/volume-tag.ts";
import { type Command, command } from "./command.ts";
import { type ImagePlace, imagePath, subvolumeName } from "./place.ts";
import type { PoolRow } from "./pool-row.ts";
import {
  bySlot,
  filesInTheWay,
  isUnused,
  poolIsMounted,
  subvolumeOf,
  usersOfImage,
} from "./queries.ts";

/** Printed by the line that made a volume, and not by one that found it there. */
export const createdMark = "created";

export function saysCreated(output: string): boolean {
  return output.split(/\r?\n/).some((line) => line.trim() === createdMark);
}

/**
 * Makes image and entry if the slot is free and nothing lies where the image will; an empty subvolume
 * left by an interrupted attempt is used.
 */
export function createLine(
  image: ImagePlace,
  { sizeBytes, tag }: NewVolume,
  { fsLabel }: PoolRow,
  nvmePort: number,
): Command {
  const { place, slot, layout } = image;
  const subvolume =
    layout === "flat"
      ? command``
      : command`:if ([:len [/disk/btrfs/subvolume/find ${subvolumeOf(place, slot, fsLabel)}]] = 0) do={ /disk/btrfs/subvolume/add fs=${fsLabel} name=${subvolumeName(place, slot)} }; `;
  const add = command`${addEntry(image, tag, nvmePort)} file-size=${sizeBytes}`;
  const free = command`${poolIsMounted(place)} && ([:len [/disk/find ${bySlot(slot)}]] = 0) && ([:len [/file/find ${filesInTheWay(image)}]] = 0)`;
  return command`:if (${free}) do={ ${subvolume}${add}; :put ${createdMark} }`;
}

/** An entry for the image, shown to nobody. Without a `file-size` behind it, the file must be there. */
export function addEntry(image: ImagePlace, tag: VolumeTag, nvmePort: number): Command {
  return command`/disk/add type=file slot=${image.slot} file-path=${`/${imagePath(image)}`} mount-filesystem=no nvme-tcp-export=no nvme-tcp-server-port=${nvmePort} smb-sharing=no nfs-sharing=no media-sharing=no iscsi-export=no comment=${formatVolumeTag(tag)}`;
}

/**
 * One set that names the comment as it was read. Of a live export only what differs is set: setting its
 * NQN, even to itself, might cut it. Turning off is always said, whatever was read.
 */
export function changeLine({ slot, comment, exported }: Volume, change: VolumeChange): Command {
  const { exported: wanted } = change;
  const renamed =
    wanted?.enabled === true && (wanted.nqn !== exported.nqn || wanted.port !== exported.port);
  const onlyUnexported = renamed ? command` nvme-tcp-export=no` : command``;
  const target = renamed
    ? command` nvme-tcp-server-nqn=${wanted.nqn} nvme-tcp-server-port=${wanted.port}`
    : command``;
  const live = wanted?.enabled === true && exported.enabled;
  const toggled =
    wanted === undefined || live ? command`` : command` nvme-tcp-export=${wanted.enabled}`;
  return command`/disk/set [find ${bySlot(slot)} comment=${comment}${onlyUnexported}] comment=${formatVolumeTag(change.tag)}${target}${toggled}`;
}

/** Sets the size only where it is smaller, so that no two of these lines can shrink a volume. */
export function growLine({ slot, comment }: Volume, sizeBytes: number): Command {
  return command`/disk/set [find where ${bySlot(slot)} and comment=${comment} and size<${sizeBytes}] file-size=${sizeBytes}`;
}

/**
 * Turns the export off and removes the entry if it is off then. The pattern by which the image is later
 * proved to be unused must match this entry first, or nothing is removed.
 */
export function removeEntryLine(image: ImagePlace, { slot, comment }: Volume): Command {
  const entry = command`${bySlot(slot)} and comment=${comment}`;
  return command`/disk/set [find where ${entry}] nvme-tcp-export=no; /disk/remove [find where ${entry} and nvme-tcp-export=no and ${usersOfImage(image)}]`;
}

/** Removes the image unless a disk still uses it, or the slot has been taken again. */
export function removeImageLine(image: ImagePlace, fsLabel: string): Command {
  const { place, slot, layout } = image;
  const remove =
    layout === "flat"
      ? command`/file/remove [find name=${imagePath(image)}]`
      : command`/disk/btrfs/subvolume/remove [find ${subvolumeOf(place, slot, fsLabel)}]`;
  return command`:if ${isUnused(image)} do={ ${remove} }`;
}
