import { DriverError } from "#domain/errors.ts";
import type { Appliances } from "#domain/ports/appliances.ts";
import type { Context } from "#lib/context.ts";
import { locateVolume } from "./located-volume.ts";

/**
 * Deletes a volume, and what an interrupted try has left of it; deleting what is not there succeeds. Three
 * round trips.
 * @throws {DriverError} `failed-precondition` while it is attached, or when it is not ours.
 */
export async function deleteVolume(
  id: string,
  appliances: Appliances,
  ctx: Context,
): Promise<void> {
  const location = locateVolume(id, appliances);
  if (location === undefined) {
    ctx.log.warn({ volumeId: id }, "Nothing to delete: not an id of this driver");
    return;
  }
  const { appliance, slot } = location;
  const volume = await appliance.volumes.find(slot, ctx);
  const nodes = volume?.tag.attachment?.nodes ?? [];
  if (nodes.length > 0)
    throw new DriverError(
      "failed-precondition",
      `Cannot delete volume "${id}": it is attached to ${nodes.map((node) => `"${node}"`).join(" and ")}`,
    );
  await appliance.volumes.delete(slot, volume, ctx);
  if (volume !== undefined)
    ctx.log.info({ volumeId: id, sizeBytes: volume.sizeBytes }, "Volume deleted");
}
