import type { BlockAccess, FsType, MountAccess } from "#domain/access-mode.ts";
import { DriverError } from "#domain/errors.ts";
import { formatBytes, GiB, MiB, roundUp } from "#lib/bytes.ts";

/** A CSI CapacityRange; 0 = not given. */
export interface SizeRange {
  readonly requiredBytes: number;
  readonly limitBytes: number;
}

/** Images grow in steps of this size, and none is smaller. */
export const sizeStep = MiB;
const defaultSize = GiB;

/**
 * Below these mkfs fails, or leaves no room for a journal. Observed with mke2fs 1.47, xfsprogs 6.1 and
 * btrfs-progs 6.2 (109 MiB, rounded up for others).
 */
const minimumSizes: Readonly<Record<FsType, number>> = {
  ext4: 16 * MiB,
  ext3: 16 * MiB,
  xfs: 300 * MiB,
  btrfs: 128 * MiB,
};

export function minimumSize(access: BlockAccess | MountAccess | undefined): number {
  return access?.type === "mount" ? minimumSizes[access.fsType] : sizeStep;
}

/**
 * The size of a new volume: never below what is required, a multiple of 1 MiB.
 * @throws {DriverError} `invalid-argument` for a range that is none, `out-of-range` for one without a size.
 */
export function newVolumeSize(range: SizeRange, minimumBytes: number): number {
  requireRange(range);
  const { requiredBytes, limitBytes } = range;
  const suggested = limitBytes > 0 ? Math.min(defaultSize, limitBytes) : defaultSize;
  // What the driver suggests itself may be rounded down, what the CO requires may not.
  const wanted = requiredBytes > 0 ? roundUp(requiredBytes, sizeStep) : floor(suggested);
  return withinLimit(Math.max(wanted, minimumBytes), limitBytes);
}

/**
 * The size to grow to; the current one when that is large enough, for a volume never shrinks.
 * @throws {DriverError} as `newVolumeSize()`.
 */
export function grownVolumeSize(range: SizeRange, currentBytes: number): number {
  requireRange(range);
  return withinLimit(
    Math.max(roundUp(range.requiredBytes, sizeStep), currentBytes),
    range.limitBytes,
  );
}

/** Whether a volume of this size is what `range` asks for. */
export function isWithin(sizeBytes: number, { requiredBytes, limitBytes }: SizeRange): boolean {
  return sizeBytes >= requiredBytes && (limitBytes === 0 || sizeBytes <= limitBytes);
}

/** For messages. */
export function describeRange({ requiredBytes, limitBytes }: SizeRange): string {
  return limitBytes === 0
    ? `at least ${requiredBytes}`
    : `at least ${requiredBytes} and at most ${limitBytes}`;
}

function requireRange({ requiredBytes, limitBytes }: SizeRange): void {
  if (requiredBytes < 0 || limitBytes < 0) throw unusable("a size is negative");
  if (limitBytes > 0 && limitBytes < requiredBytes)
    throw unusable(`limit_bytes ${limitBytes} is below required_bytes ${requiredBytes}`);
}

function unusable(reason: string): DriverError {
  return new DriverError("invalid-argument", `Cannot use the capacity range: ${reason}`);
}

function withinLimit(sizeBytes: number, limitBytes: number): number {
  if (limitBytes === 0 || sizeBytes <= limitBytes) return sizeBytes;
  throw new DriverError(
    "out-of-range",
    `Cannot make a volume of at most ${limitBytes} bytes: the smallest possible one has ${sizeBytes} (${formatBytes(sizeBytes)})`,
  );
}

function floor(bytes: number): number {
  return Math.floor(bytes / sizeStep) * sizeStep;
}
