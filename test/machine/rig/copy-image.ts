import { statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { sh } from "./world.ts";

/** Inode of a subvolume's root. Source: Linux, `BTRFS_FIRST_FREE_OBJECTID`. */
const subvolumeRoot = 256;

/**
 * Fills the image of a volume that nobody has with what is in another one now, whoever writes to that: by a snapshot
 * of the Btrfs subvolume it lies in, as the appliance makes them. The image keeps its size.
 */
export function copyImage(source: string, image: string): void {
  const root = subvolumeOf(source);
  const snapshot = join(root, "snapshot-of-the-rig");
  const { size } = statSync(image);
  sh(`btrfs subvolume snapshot -r ${root} ${snapshot}`);
  try {
    sh(`cp --reflink=always ${join(snapshot, relative(root, source))} ${image}`);
    sh(`truncate -s ${size} ${image}`);
  } finally {
    sh(`btrfs subvolume delete ${snapshot}`);
  }
}

function subvolumeOf(path: string): string {
  const folder = dirname(path);
  return statSync(folder).ino === subvolumeRoot ? folder : subvolumeOf(folder);
}
