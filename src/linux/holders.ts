import type { Sysfs } from "./sysfs.ts";

/**
 * Names of what is stacked on a disk, and on partitions of it, which guests make: dm, md, …
 * @param disk - Its folder in sysfs: `block nvme0n1` or `dev block 259:1`.
 */
export function holdersOf(sysfs: Sysfs, ...disk: readonly string[]): string[] {
  const isPartition = (name: string) => sysfs.exists(...disk, name, "partition");
  const partitions = sysfs.list(...disk).filter(isPartition);
  return ["", ...partitions].flatMap((name) => sysfs.list(...disk, name, "holders"));
}
