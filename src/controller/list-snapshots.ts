import type { Appliance, Appliances } from "#domain/ports/appliances.ts";
import type { Snapshot } from "#domain/snapshot.ts";
import type { Context } from "#lib/context.ts";
import {
  findSnapshot,
  locateSnapshot,
  requireSnapshot,
  requireSnapshotLocation,
  snapshotIdOf,
} from "./located-snapshot.ts";
import { locateVolume } from "./located-volume.ts";
import { type Page, type Paged, pageOf } from "./page.ts";

export interface ListedSnapshot {
  readonly id: string;
  readonly appliance: Appliance;
  readonly snapshot: Snapshot;
}

/** Which snapshots are wanted; empty = any. Both together mean the one that fits both. */
export interface SnapshotFilter {
  readonly snapshotId: string;
  readonly sourceVolumeId: string;
}

/**
 * Snapshots ordered by id. One round trip per appliance; when one of them does not answer the call fails, because a
 * list without its snapshots would say that they are gone.
 */
export async function listSnapshots(
  appliances: Appliances,
  { snapshotId, sourceVolumeId, page }: SnapshotFilter & { readonly page: Page },
  ctx: Context,
): Promise<Paged<ListedSnapshot>> {
  const all = sourceVolumeId === "";
  const source = all ? undefined : locateVolume(sourceVolumeId, appliances);
  const holders = appliances.all().filter((one) => all || one === source?.appliance);
  const found =
    snapshotId === ""
      ? await snapshotsOn(holders, ctx)
      : await snapshotsById(snapshotId, appliances, ctx);
  const isWanted = ({ appliance, snapshot }: ListedSnapshot) =>
    appliance === source?.appliance && snapshot.leaf.source === source.slot;
  return pageOf(all ? found : found.filter(isWanted), page);
}

/** @throws {DriverError} `not-found`. */
export async function getSnapshot(
  id: string,
  appliances: Appliances,
  ctx: Context,
): Promise<ListedSnapshot> {
  const location = requireSnapshotLocation(id, appliances);
  return listed(await requireSnapshot(location, ctx), location.appliance);
}

async function snapshotsOn(
  appliances: readonly Appliance[],
  ctx: Context,
): Promise<ListedSnapshot[]> {
  const lists = await Promise.all(
    appliances.map(async (appliance) => {
      const snapshots = await appliance.snapshots.list(ctx);
      return snapshots.map((snapshot) => listed(snapshot, appliance));
    }),
  );
  return lists.flat();
}

async function snapshotsById(
  id: string,
  appliances: Appliances,
  ctx: Context,
): Promise<ListedSnapshot[]> {
  const location = locateSnapshot(id, appliances);
  if (location === undefined) return [];
  const snapshot = await findSnapshot(location, ctx);
  return snapshot === undefined ? [] : [listed(snapshot, location.appliance)];
}

function listed(snapshot: Snapshot, appliance: Appliance): ListedSnapshot {
  return { id: snapshotIdOf(snapshot.leaf, appliance), appliance, snapshot };
}
