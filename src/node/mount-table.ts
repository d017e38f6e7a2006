import type { Mount } from "#domain/ports/mounts.ts";

/** What mountinfo knows a device by: that of a volume, or a hold. */
export interface DeviceName {
  readonly path: string;
  readonly majorMinor: string;
}

/** All mounts stacked at `path`, the topmost last: the order of mountinfo. */
export function mountsAt(mounts: readonly Mount[], path: string): readonly Mount[] {
  return mounts.filter(({ target }) => target === path);
}

/** The mount that a process sees at `path`; `undefined` when nothing is mounted there. */
export function topmostAt(mounts: readonly Mount[], path: string): Mount | undefined {
  return mountsAt(mounts, path).at(-1);
}

/** Whether this is a mount of the file system on `device`. */
export function isMountOf(device: DeviceName, mount: Mount): boolean {
  return hasAnonymousNumber(mount)
    ? mount.source === device.path && mount.fsType !== "devtmpfs"
    : mount.majorMinor === device.majorMinor;
}

/** Whether two mounts show the same file system: one is a bind mount of the other. */
export function isSameFilesystem(one: Mount, other: Mount): boolean {
  return one.majorMinor === other.majorMinor;
}

/** Whether a single device node is bind-mounted here, as raw block volumes are published. */
export function isDeviceNode(mount: Mount): boolean {
  return mount.fsType === "devtmpfs" && mount.root !== "/";
}

/** Btrfs and virtual file systems have no block device's number in mountinfo. */
export function hasAnonymousNumber(mount: Mount): boolean {
  return mount.majorMinor.startsWith("0:");
}

export function isReadOnly(mount: Mount): boolean {
  return mount.options.includes("ro");
}

/**
 * How an ext4 that was mounted for writing says that it has met an error after which it takes no more writes: `ro` up to
 * Linux 6.11, `shutdown` or `emergency_ro` since 6.15. Source: Linux, fs/ext4/super.c. In between nothing here says it: on
 * 6.12 the options stay as they were, and the count of errors tells.
 */
const stopWords = ["ro", "shutdown", "emergency_ro"];

/** Whether the file system takes no more writes, although it was mounted for them. XFS and Btrfs do not tell here. */
export function hasStopped(mount: Mount): boolean {
  return !isReadOnly(mount) && mount.superOptions.some((option) => stopWords.includes(option));
}
