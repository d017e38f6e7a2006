import { DriverError } from "#domain/errors.ts";
import type { Appliance, Appliances } from "#domain/ports/appliances.ts";
import type { Snapshot } from "#domain/snapshot.ts";
import { formatSnapshotId, parseSnapshotId, type SnapshotLeaf } from "#domain/snapshot-id.ts";
import type { Context } from "#lib/context.ts";
import { applianceOfId } from "./appliance-of-id.ts";

/** Where the snapshot of an id is, or would be. */
export interface SnapshotLocation {
  /** The CSI snapshot id, byte for byte. */
  readonly id: string;
  readonly appliance: Appliance;
  readonly leaf: SnapshotLeaf;
}

/** As `locateVolume()`. */
export function locateSnapshot(id: string, appliances: Appliances): SnapshotLocation | undefined {
  const parsed = parseSnapshotId(id);
  if (parsed === undefined) return undefined;
  const appliance = applianceOfId(parsed.appliance, appliances, `snapshot "${id}"`);
  return { id, appliance, leaf: parsed.leaf };
}

export function snapshotIdOf(leaf: SnapshotLeaf, { idPrefix }: Appliance): string {
  return formatSnapshotId({ appliance: idPrefix, leaf });
}

/** The snapshot that bears exactly this id. */
export async function findSnapshot(
  { id, appliance, leaf }: SnapshotLocation,
  ctx: Context,
): Promise<Snapshot | undefined> {
  const snapshot = await appliance.snapshots.find(leaf.key, ctx);
  return snapshot && snapshotIdOf(snapshot.leaf, appliance) === id ? snapshot : undefined;
}

/** @throws {DriverError} `not-found`. */
export function requireSnapshotLocation(id: string, appliances: Appliances): SnapshotLocation {
  const location = locateSnapshot(id, appliances);
  if (location !== undefined) return location;
  throw new DriverError(
    "not-found",
    `Cannot find snapshot "${id}": this is not an id of this driver`,
  );
}

/** @throws {DriverError} `not-found`. */
export async function requireSnapshot(location: SnapshotLocation, ctx: Context): Promise<Snapshot> {
  const snapshot = await findSnapshot(location, ctx);
  if (snapshot !== undefined) return snapshot;
  const { id, appliance } = location;
  throw new DriverError(
    "not-found",
    `Cannot find snapshot "${id}": appliance "${appliance.name}" has no such subvolume`,
  );
}
