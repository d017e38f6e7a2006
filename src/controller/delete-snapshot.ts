import type { Appliances } from "#domain/ports/appliances.ts";
import type { Context } from "#lib/context.ts";
import { locateSnapshot } from "./located-snapshot.ts";

/**
 * Deletes a snapshot; deleting what is not there succeeds, and volumes made from it go on. One round trip.
 * @throws {DriverError} `failed-precondition` for one that somebody made writable.
 */
export async function deleteSnapshot(
  id: string,
  appliances: Appliances,
  ctx: Context,
): Promise<void> {
  const location = locateSnapshot(id, appliances);
  if (location === undefined) {
    ctx.log.warn({ snapshotId: id }, "Nothing to delete: not an id of this driver");
    return;
  }
  await location.appliance.snapshots.remove(location.leaf, ctx);
  ctx.log.info({ snapshotId: id }, "Snapshot deleted");
}
