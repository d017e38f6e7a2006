import { constants, statSync } from "node:fs";
import { isMissing } from "./atomic-file.ts";

/**
 * `259:1` of the block device node at `path` in `/dev`; `undefined` when there is none. Synchronous, because
 * devtmpfs lives in memory and never waits for a disk; for paths elsewhere there is `BlockDevices`.
 */
export function deviceNumberOf(path: string): string | undefined {
  try {
    const { mode, rdev } = statSync(path);
    return isBlockDevice(mode) ? formatDeviceNumber(rdev) : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

export function isBlockDevice(mode: number): boolean {
  return (mode & constants.S_IFMT) === constants.S_IFBLK;
}

/**
 * Takes a `dev_t` apart: bits 8 to 19 are the major number, the others the minor number; Linux uses 12 and 20
 * bits of it. Source: makedev(3), glibc's encoding.
 */
function formatDeviceNumber(rdev: number): string {
  const major = Math.floor(rdev / 2 ** 8) % 2 ** 12;
  const minor = (rdev % 2 ** 8) + Math.floor(rdev / 2 ** 20) * 2 ** 8;
  return `${major}:${minor}`;
}
