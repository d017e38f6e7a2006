/** Packages, by the names Debian and most others use, of the programs this driver runs. */
const packages: Readonly<Record<string, string>> = {
  blkid: "util-linux",
  blockdev: "util-linux",
  btrfs: "btrfs-progs",
  cmp: "diffutils",
  dd: "coreutils",
  dmsetup: "dmsetup",
  "fsck.ext3": "e2fsprogs",
  "fsck.ext4": "e2fsprogs",
  losetup: "util-linux",
  "mkfs.btrfs": "btrfs-progs",
  "mkfs.ext3": "e2fsprogs",
  "mkfs.ext4": "e2fsprogs",
  "mkfs.xfs": "xfsprogs",
  mount: "util-linux",
  resize2fs: "e2fsprogs",
  stat: "coreutils",
  umount: "util-linux",
  xfs_growfs: "xfsprogs",
  xfs_repair: "xfsprogs",
};

/** The package to install for a program that is missing. */
export function packageOf(file: string): string {
  return packages[file] ?? file;
}
