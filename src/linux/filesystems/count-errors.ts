import type { Sysfs } from "#linux/sysfs.ts";

/**
 * What ext2, ext3 and ext4 keep in their superblock and show in sysfs under the name of their device, until e2fsck has
 * checked them. Source: Linux, Documentation/ABI/testing/sysfs-fs-ext4, and fs/ext4/sysfs.c, which reads memory only.
 * @returns 0 when no file system of theirs is mounted from this device.
 */
export function countErrors(sysfs: Sysfs, majorMinor: string): number {
  const events = sysfs.read("dev", "block", majorMinor, "uevent") ?? "";
  const [, name] = /^DEVNAME=(.+)$/m.exec(events) ?? [];
  return name === undefined ? 0 : (sysfs.readNumber("fs", "ext4", name, "errors_count") ?? 0);
}
