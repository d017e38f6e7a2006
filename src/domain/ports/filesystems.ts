import type { Context } from "#lib/context.ts";
import type { FsType } from "../access-mode.ts";

/** What a device holds, as far as it can be told. */
export type DeviceContent =
  /** blkid found nothing (exit 2, twice), and the first and last MiB read as zero. */
  | { readonly kind: "blank" }
  | { readonly kind: "filesystem"; readonly fsType: string; readonly uuid: string | undefined }
  /** Something that is no file system: a partition table, LVM, unknown data, conflicting signatures. */
  | { readonly kind: "other"; readonly description: string };

/** File systems on block devices. Every doubt is an error, never a blank. */
export interface Filesystems {
  /** @throws {DriverError} `unavailable` when the device cannot be read: that is not blank. */
  inspect(device: string, ctx: Context): Promise<DeviceContent>;
  /** Makes a file system. The caller has proved that it may. */
  make(device: string, request: MakeRequest, ctx: Context): Promise<void>;
  /** Repairs what can be repaired without loss; only after a failed mount. */
  check(device: string, fsType: FsType, ctx: Context): Promise<void>;
  /** Grows a mounted file system to its device; nothing to do is success. @returns its size in bytes, as statfs tells. */
  grow(mounted: MountedFilesystem, ctx: Context): Promise<number>;
  usage(path: string, ctx: Context): Promise<FilesystemUsage>;
  /**
   * Errors that a mounted ext2, ext3 or ext4 has met since its last check, as the kernel counts them; without touching the
   * mount. @param majorMinor - `259:1`, of the device. @returns 0 for what is not counted: other file systems.
   */
  countErrors(majorMinor: string, ctx: Context): Promise<number>;
}

export interface MakeRequest {
  readonly fsType: FsType;
  /** Extra arguments for mkfs, validated by `domain/mkfs-options.ts`. */
  readonly options: readonly string[];
}

export interface MountedFilesystem {
  readonly fsType: string;
  readonly device: string;
  readonly mountPoint: string;
}

/** From statfs(2); bytes and inodes. */
export interface FilesystemUsage {
  readonly totalBytes: number;
  readonly availableBytes: number;
  readonly usedBytes: number;
  readonly totalInodes: number;
  readonly freeInodes: number;
}
