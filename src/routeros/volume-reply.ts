import { DriverError } from "#domain/errors.ts";
import type { Volume } from "#domain/volume.ts";
import type { Slot } from "#domain/volume-id.ts";
import { type DiskRow, diskRow } from "./disk-row.ts";
import type { Place } from "./place.ts";
import { readBack, readRecords } from "./read-records.ts";
import { standingOf } from "./volume-row.ts";

/** The disks that a read printed. @throws {DriverError} `unavailable` for an unreadable reply. */
export function diskRows(output: string, act: string): DiskRow[] {
  return readRecords(output, act).map(diskRow);
}

/** The disks that a changing line printed at its end. @throws {DriverError} `unknown-outcome`. */
export function diskRowsAfter(output: string, act: string): DiskRow[] {
  return readBack(output, 1, act).flat().map(diskRow);
}

/**
 * The volume of `slot` among `rows`; `undefined` when no entry bears the slot.
 * @throws {DriverError} `failed-precondition` for an entry that bears it and is not ours.
 */
export function volumeIn(
  rows: readonly DiskRow[],
  slot: Slot,
  { place, act }: { readonly place: Place; readonly act: string },
): Volume | undefined {
  const row = rows.find((candidate) => candidate.slot === slot);
  if (row === undefined) return undefined;
  const standing = standingOf(row, place);
  if (standing.ours) return standing.volume;
  throw new DriverError(
    "failed-precondition",
    `Cannot ${act}: the disk entry of that name ${standing.reason}`,
  );
}
