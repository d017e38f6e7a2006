import { DriverError, isFailure } from "#domain/errors.ts";
import type { Appliance, Appliances } from "#domain/ports/appliances.ts";
import type { Snapshot } from "#domain/snapshot.ts";
import { type SnapshotKey, snapshotKeyForName } from "#domain/snapshot-id.ts";
import type { Survey, Volume } from "#domain/volume.ts";
import type { Context } from "#lib/context.ts";
import { requireReserve } from "./headroom.ts";
import type { ListedSnapshot } from "./list-snapshots.ts";
import { snapshotIdOf } from "./located-snapshot.ts";
import {
  idOf,
  listed,
  refuseAbsent,
  requireLocation,
  requireSize,
  type VolumeLocation,
} from "./located-volume.ts";
import { checkSnapshotClass } from "./snapshot-class.ts";
import type { Parameters } from "./storage-class.ts";

export interface SnapshotOrder {
  /** What the CO calls it. */
  readonly name: string;
  readonly sourceVolumeId: string;
  readonly parameters: Parameters;
}

/**
 * Takes the snapshot, or finds the one that an earlier try has taken: as its volume was then, also when that has
 * grown or gone since. Two round trips.
 * @throws {DriverError} `not-found` for the volume, `already-exists` for a snapshot of another one by this name,
 * `failed-precondition` for a volume that cannot have any, `resource-exhausted` when only the reserve is left.
 */
export async function createSnapshot(
  { name, sourceVolumeId, parameters }: SnapshotOrder,
  appliances: Appliances,
  ctx: Context,
): Promise<ListedSnapshot> {
  const key = snapshotKeyForName(name);
  checkSnapshotClass(parameters);
  const location = requireLocation(sourceVolumeId, appliances);
  const { appliance, slot } = location;
  const snapshot = await takeOrFind(location, key, ctx);
  const id = snapshotIdOf(snapshot.leaf, appliance);
  if (snapshot.leaf.source !== slot)
    throw new DriverError(
      "already-exists",
      `Cannot take snapshot "${name}" of volume "${sourceVolumeId}": "${id}" is one of volume "${idOf(snapshot.leaf.source, appliance)}"`,
    );
  return { id, appliance, snapshot };
}

/** Of the volume as it is now; what has become of it, an earlier snapshot does not mind. */
const refusals = ["not-found", "resource-exhausted", "failed-precondition", "unavailable"] as const;

async function takeOrFind(
  location: VolumeLocation,
  key: SnapshotKey,
  ctx: Context,
): Promise<Snapshot> {
  const { id, appliance } = location;
  const { volumes, snapshots } = appliance;
  const survey = await volumes.survey(ctx);
  try {
    const volume = listed(location, survey) ?? (await refuseAbsent(location, ctx));
    requireSize(volume, appliance);
    requireSnapshots({ id, volume, survey }, appliance);
    const snapshot = await snapshots.take(volume, key, ctx);
    ctx.log.info(
      { volumeId: id, snapshotId: snapshotIdOf(snapshot.leaf, appliance) },
      "Snapshot taken",
    );
    return snapshot;
  } catch (error) {
    // An earlier try may have succeeded while this was still possible.
    const isRefusal = isFailure(error, ...refusals);
    const earlier = isRefusal ? await snapshots.find(key, ctx) : undefined;
    if (earlier !== undefined) return earlier;
    throw error;
  }
}

function requireSnapshots(
  { id, volume, survey }: { readonly id: string; readonly volume: Volume; readonly survey: Survey },
  appliance: Appliance,
): void {
  if (volume.layout === "flat")
    throw new DriverError(
      "failed-precondition",
      `Cannot take a snapshot of volume "${id}": its image is a plain file on pool "${survey.pool.mountPoint}" of appliance "${appliance.name}", and RouterOS snapshots Btrfs subvolumes only`,
    );
  requireReserve(`take a snapshot of volume "${id}"`, survey, appliance);
}
