import { DriverError } from "#domain/errors.ts";
import { type Origin, sizeOf } from "#domain/origin.ts";
import type { Appliance, Appliances } from "#domain/ports/appliances.ts";
import type { SnapshotLeaf } from "#domain/snapshot-id.ts";
import type { Survey } from "#domain/volume.ts";
import type { Slot } from "#domain/volume-id.ts";
import type { Context } from "#lib/context.ts";
import { requireSnapshot, requireSnapshotLocation } from "./located-snapshot.ts";
import {
  listed,
  refuseAbsent,
  requireLocation,
  requireSize,
  requireVolume,
} from "./located-volume.ts";
import { describeRange, type SizeRange } from "./volume-size.ts";

/** What a new volume shall be a copy of, by its CSI id. */
export interface ContentSource {
  readonly type: "snapshot" | "volume";
  readonly id: string;
}

/** What an id alone tells: whether the thing is there, a survey says. */
export type WantedOrigin =
  | { readonly type: "snapshot"; readonly id: string; readonly leaf: SnapshotLeaf }
  | { readonly type: "volume"; readonly id: string; readonly slot: Slot };

/**
 * @param target - where the copy shall be: RouterOS copies within one pool only.
 * @throws {DriverError} `not-found` for an id that nothing bears, `invalid-argument` for one on another appliance.
 */
export async function wantedOrigin(
  { type, id }: ContentSource,
  target: Appliance,
  { appliances, ctx }: { readonly appliances: Appliances; readonly ctx: Context },
): Promise<WantedOrigin> {
  if (type === "volume") {
    const location = requireLocation(id, appliances);
    if (location.appliance.name === target.name) return { type, id, slot: location.slot };
    await requireVolume(location, ctx);
    throw isElsewhere({ type, id }, location.appliance, target);
  }
  const location = requireSnapshotLocation(id, appliances);
  if (location.appliance.name === target.name) return { type, id, leaf: location.leaf };
  await requireSnapshot(location, ctx);
  throw isElsewhere({ type, id }, location.appliance, target);
}

function isElsewhere(source: ContentSource, holder: Appliance, target: Appliance): DriverError {
  return refusal(
    source,
    `it is on appliance "${holder.name}", and the StorageClass says "${target.name}"`,
  );
}

/** @throws {DriverError} why a volume that shall be copied is not in the survey. */
export async function refuseUnlisted(
  wanted: WantedOrigin,
  { survey, appliance }: Omit<Target, "size">,
  ctx: Context,
): Promise<void> {
  if (wanted.type === "volume" && listed(wanted, survey) === undefined)
    await refuseAbsent({ ...wanted, appliance }, ctx);
}

/**
 * The origin as the survey shows it. Whether a snapshot is there, only the copying itself tells.
 * @throws {DriverError} `invalid-argument` where the layout allows no copies, `out-of-range` for a size below the origin's.
 */
export function requireOrigin(wanted: WantedOrigin, { size, survey, appliance }: Target): Origin {
  const { id, type } = wanted;
  const volume = type === "volume" ? listed(wanted, survey) : undefined;
  if (volume !== undefined) requireSize(volume, appliance);
  if (volume?.layout === "flat" || survey.pool.layout === "flat")
    throw refusal(
      wanted,
      `volumes are plain files on pool "${survey.pool.mountPoint}" of appliance "${appliance.name}" or were adopted as such, and RouterOS copies Btrfs subvolumes only`,
    );
  const origin = type === "snapshot" ? wanted : { ...wanted, sizeBytes: volume?.sizeBytes ?? 0 };
  const { requiredBytes, limitBytes } = size;
  const least = sizeOf(origin);
  if ((requiredBytes || least) >= least && (limitBytes || least) >= least) return origin;
  throw new DriverError(
    "out-of-range",
    `Cannot create a volume from ${type} "${id}": that has ${least} bytes, asked for are ${describeRange(size)}`,
  );
}

/** Where a copy shall be, and how large. */
interface Target {
  readonly size: SizeRange;
  readonly survey: Survey;
  readonly appliance: Appliance;
}

function refusal({ type, id }: ContentSource, reason: string): DriverError {
  return new DriverError(
    "invalid-argument",
    `Cannot create a volume from ${type} "${id}": ${reason}`,
  );
}
