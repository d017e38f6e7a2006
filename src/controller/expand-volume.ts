import type { Volume } from "#domain/volume.ts";
import { formatBytes } from "#lib/bytes.ts";
import type { Context } from "#lib/context.ts";
import type { CreateVolumeOptions } from "./create-volume.ts";
import { claimRoom } from "./headroom.ts";
import { listed, refuseAbsent, requireLocation, requireSize } from "./located-volume.ts";
import { grownVolumeSize, type SizeRange } from "./volume-size.ts";

export type ExpandVolumeOptions = Pick<CreateVolumeOptions, "appliances" | "claims">;

/**
 * Grows a volume; one that is large enough already stays as it is. Two round trips.
 * @returns its size in bytes, as the appliance told it.
 * @throws {DriverError} `not-found`, `out-of-range`, `resource-exhausted`.
 */
export async function expandVolume(
  { id, size }: { readonly id: string; readonly size: SizeRange },
  { appliances, claims }: ExpandVolumeOptions,
  ctx: Context,
): Promise<number> {
  const location = requireLocation(id, appliances);
  const { appliance } = location;
  const survey = await appliance.volumes.survey(ctx);
  const volume = listed(location, survey) ?? (await refuseAbsent(location, ctx));
  requireSize(volume, appliance);
  const sizeBytes = grownVolumeSize(size, volume.sizeBytes);
  if (sizeBytes === volume.sizeBytes) return sizeBytes;
  const addedBytes = sizeBytes - volume.sizeBytes;
  const act = `expand volume "${id}" from ${formatBytes(volume.sizeBytes)} to ${formatBytes(sizeBytes)}`;
  using _claim = claimRoom({ act, addedBytes, sizeBytes }, { survey, claims }, appliance);
  const grown: Volume = await appliance.volumes.grow(volume, sizeBytes, ctx);
  ctx.log.info(
    { volumeId: id, fromBytes: volume.sizeBytes, toBytes: grown.sizeBytes },
    "Volume expanded",
  );
  return grown.sizeBytes;
}
