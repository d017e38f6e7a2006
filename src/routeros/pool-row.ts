import type { Pool } from "#domain/volume.ts";
import type { DiskRow } from "./disk-row.ts";
import { canonicalPath, isWithin } from "./paths.ts";

/** The pool, and what a subvolume command needs to name it. */
export interface PoolRow extends Pool {
  /** File system type as RouterOS prints it: `btrfs`, `xfs`, `ext4`. */
  readonly fs: string;
  readonly fsLabel: string;
}

const none = { sizeBytes: 0, freeBytes: 0 };

/** The item that is mounted at `mountPoint`; `undefined` when none is. */
export function poolOf(rows: readonly DiskRow[], mountPoint: string): PoolRow | undefined {
  const wanted = canonicalPath(mountPoint);
  const row = rows.find((candidate) => candidate.mountPoint === wanted);
  if (row === undefined) return undefined;
  const { fs, fsLabel, sizeBytes, freeBytes } = row;
  const room = sizeBytes === undefined || freeBytes === undefined ? none : { sizeBytes, freeBytes };
  return {
    mountPoint: wanted,
    layout: fs === "btrfs" && fsLabel !== "" ? "subvolume" : "flat",
    ...room,
    fs,
    fsLabel,
  };
}

/** What was promised to somebody: the sizes of all images on the pool, ours or not. */
export function provisionedBytes(rows: readonly DiskRow[], mountPoint: string): number {
  const images = rows.filter((row) => row.filePath !== "" && isWithin(row.filePath, mountPoint));
  return images.reduce((sum, row) => sum + Math.max(row.sizeBytes ?? 0, row.fileSizeBytes ?? 0), 0);
}
