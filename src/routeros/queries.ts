import type { Slot } from "#domain/volume-id.ts";
import { type Command, command } from "./command.ts";
import { diskProperties } from "./disk-row.ts";
import { literalPattern } from "./paths.ts";
import { type ImagePlace, imagePath, type Place, subvolumeName, volumeFolder } from "./place.ts";

/** Prints rows as JSON in which strings stay strings (RouterOS 7.16 and later). */
export function printJson(rows: Command): Command {
  return command`:put [:serialize to=json options=json.no-string-conversion [${rows}]]`;
}

/** The disks that a `where` expression selects; all their properties, which is little for few rows. */
export function printDisks(where: Command): Command {
  return printJson(command`/disk/print detail as-value where ${where}`);
}

/** All disks, with the properties that volumes and pools need. */
export const printAllDisks = printJson(
  command`/disk/print detail as-value proplist=${diskProperties}`,
);

/** The names of files only: their contents would come along otherwise. */
export function printFiles(where: Command): Command {
  return command`:put [:serialize to=json [/file/print as-value proplist=name where ${where}]]`;
}

/** Files that lie where the image of a new volume would, whether or not they are one. */
export function filesInTheWay({ place, slot, layout }: ImagePlace): Command {
  if (layout === "flat") return command`name=${imagePath({ place, slot, layout })}`;
  return command`name~${`^${literalPattern(volumeFolder(place, slot))}/`}`;
}

/** All that a volume's removal must leave nothing of. */
export function filesOfVolume({ place, slot, layout }: ImagePlace): Command {
  if (layout === "flat") return command`name=${imagePath({ place, slot, layout })}`;
  return command`name~${`^${literalPattern(volumeFolder(place, slot))}(/|$)`}`;
}

/** Disks whose image is the volume's or lies in its folder, with or without a leading slash. */
export function usersOfImage({ place, slot, layout }: ImagePlace): Command {
  const path = layout === "flat" ? imagePath({ place, slot, layout }) : volumeFolder(place, slot);
  return command`file-path~${`^/?${literalPattern(path)}(/|$)`}`;
}

/** Disks that have to do with an image: its own, those that use it, and the pool. */
export function disksAbout(image: ImagePlace): Command {
  return command`${ownersOf(image)} or mount-point=${image.place.mountPoint}`;
}

/** True while no disk has to do with the image: only then may it be removed, or another take its place. */
export function isUnused(image: ImagePlace): Command {
  return command`([:len [/disk/find where ${ownersOf(image)}]] = 0)`;
}

function ownersOf(image: ImagePlace): Command {
  return command`${bySlot(image.slot)} or ${usersOfImage(image)}`;
}

/** The volume's own subvolume. */
export function subvolumeOf(place: Place, slot: Slot, fsLabel: string): Command {
  return command`fs=${fsLabel} fullname=${subvolumeName(place, slot)}`;
}

/** True while the pool is mounted: on an unmounted one, paths would lead to the system's own flash. */
export function poolIsMounted({ mountPoint }: Place): Command {
  return command`([:len [/disk/find mount-point=${mountPoint}]] = 1)`;
}

export function bySlot(slot: Slot): Command {
  return command`slot=${slot}`;
}
