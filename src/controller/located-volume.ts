import { DriverError } from "#domain/errors.ts";
import type { Appliance, Appliances } from "#domain/ports/appliances.ts";
import type { Survey, Volume } from "#domain/volume.ts";
import { formatVolumeId, parseVolumeId, type Slot } from "#domain/volume-id.ts";
import type { Context } from "#lib/context.ts";
import { applianceOfId } from "./appliance-of-id.ts";

/** Where the volume of an id is, or would be. */
export interface VolumeLocation {
  /** The CSI volume id, byte for byte. */
  readonly id: string;
  readonly appliance: Appliance;
  readonly slot: Slot;
}

/**
 * @returns `undefined` for text that cannot be an id of this driver, so that no volume can bear it.
 * @throws {DriverError} `failed-precondition` for an appliance that is not configured: what is on it, nobody
 * can tell now, and "gone" would be a lie.
 */
export function locateVolume(id: string, appliances: Appliances): VolumeLocation | undefined {
  const parsed = parseVolumeId(id);
  if (parsed === undefined) return undefined;
  const appliance = applianceOfId(parsed.appliance, appliances, `volume "${id}"`);
  return { id, appliance, slot: parsed.slot };
}

export function idOf(slot: Slot, { idPrefix }: Appliance): string {
  return formatVolumeId({ appliance: idPrefix, slot });
}

/** @throws {DriverError} `not-found`. */
export function requireLocation(id: string, appliances: Appliances): VolumeLocation {
  const location = locateVolume(id, appliances);
  if (location !== undefined) return location;
  throw new DriverError(
    "not-found",
    `Cannot find volume "${id}": this is not an id of this driver`,
  );
}

/** @throws {DriverError} `not-found`. */
export async function requireVolume(location: VolumeLocation, ctx: Context): Promise<Volume> {
  const { id, appliance, slot } = location;
  const volume = await appliance.volumes.find(slot, ctx);
  if (volume !== undefined) return volume;
  throw new DriverError(
    "not-found",
    `Cannot find volume "${id}": appliance "${appliance.name}" has no such disk`,
  );
}

/** The volume as a survey shows it. */
export function listed(
  { slot }: Pick<VolumeLocation, "slot">,
  { volumes }: Survey,
): Volume | undefined {
  return volumes.find((volume) => volume.slot === slot);
}

/**
 * A survey leaves out what is not ours, or no longer: a look at its very entry tells.
 * @throws {DriverError} always: as `requireVolume()`, or `unavailable` for a volume that has come meanwhile.
 */
export async function refuseAbsent(location: VolumeLocation, ctx: Context): Promise<never> {
  await requireVolume(location, ctx);
  throw new DriverError("unavailable", `Cannot use volume "${location.id}": it has come just now`);
}

/** @throws {DriverError} `unavailable` while RouterOS cannot open the image, as after it has started: then it tells no size. */
export function requireSize({ slot, sizeBytes }: Volume, appliance: Appliance): void {
  if (sizeBytes > 0) return;
  throw new DriverError(
    "unavailable",
    `Cannot use volume "${idOf(slot, appliance)}": appliance "${appliance.name}" does not tell its size, as while it cannot open the image`,
  );
}
