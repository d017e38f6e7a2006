import type { BlockDevice } from "#domain/block-device.ts";
import type { Sysfs } from "./sysfs.ts";

/** Sysfs counts in these, whatever the device's own block size. */
export const sectorBytes = 512;

/** Where a host shows its disks. */
export interface Host {
  readonly sysfs: Sysfs;
  /** `/dev` */
  readonly dev: string;
  /** Device number of a node in `dev`. */
  readonly deviceNumberOf: (path: string) => string | undefined;
}

/**
 * A disk by its name in `/sys/block`.
 * @returns `undefined` unless it is there, its size is not 0, and its node in `/dev` has its number.
 */
export function diskDevice(host: Host, disk: string): Omit<BlockDevice, "nqn"> | undefined {
  const { sysfs, dev, deviceNumberOf } = host;
  const sectors = sysfs.readNumber("block", disk, "size");
  const blockBytes = sysfs.readNumber("block", disk, "queue", "logical_block_size");
  const majorMinor = sysfs.read("block", disk, "dev");
  if (!sectors || !blockBytes || majorMinor === undefined) return undefined;
  const path = `${dev}/${disk}`;
  if (deviceNumberOf(path) !== majorMinor) return undefined;
  return { path, majorMinor, sizeBytes: sectors * sectorBytes, blockBytes };
}
