import { DriverError } from "#domain/errors.ts";
import type { Snapshot } from "#domain/snapshot.ts";
import { parseSnapshotLeaf } from "#domain/snapshot-id.ts";
import { flagOf, type JsonRecord, textOf } from "./json.ts";
import { type ApplianceClock, instantOf } from "./local-time.ts";

/**
 * The snapshots among subvolumes; what bears another name was not made by this driver.
 * @throws {DriverError} `unavailable` for a time that cannot be read: any other would be a lie.
 */
export function snapshotsIn(
  rows: readonly JsonRecord[],
  { clock, act }: { readonly clock: ApplianceClock; readonly act: string },
): Snapshot[] {
  return rows.flatMap((row) => {
    const leaf = parseSnapshotLeaf(textOf(row, "name"));
    if (leaf === undefined) return [];
    const text = textOf(row, "creation-time");
    const createdAt = instantOf(text, clock);
    if (createdAt !== undefined) return [{ leaf, createdAt, intact: flagOf(row, "read-only") }];
    throw new DriverError(
      "unavailable",
      `Cannot ${act}: RouterOS shows "${text}" as the creation time of "${textOf(row, "name")}", and its time zone as "${clock.zone}"`,
    );
  });
}
