import type { VolumeUse } from "#domain/access-mode.ts";
import { DriverError } from "#domain/errors.ts";
import { sizeOf, sourceOf } from "#domain/origin.ts";
import type { Appliance, Appliances } from "#domain/ports/appliances.ts";
import type { NewVolume } from "#domain/ports/volume-store.ts";
import type { Survey, Volume } from "#domain/volume.ts";
import { slotForName } from "#domain/volume-id.ts";
import { volumeContextOf } from "#domain/volume-parameters.ts";
import { formatBytes } from "#lib/bytes.ts";
import type { Context } from "#lib/context.ts";
import type { Claims } from "./claims.ts";
import { commonAccess } from "./common-access.ts";
import {
  type ContentSource,
  refuseUnlisted,
  requireOrigin,
  type WantedOrigin,
  wantedOrigin,
} from "./content-source.ts";
import { claimRoom } from "./headroom.ts";
import { idOf, listed, requireSize } from "./located-volume.ts";
import {
  checkParameters,
  chosenAppliance,
  originOf,
  type Parameters,
  retiredParameters,
} from "./storage-class.ts";
import {
  describeRange,
  grownVolumeSize,
  isWithin,
  minimumSize,
  newVolumeSize,
  type SizeRange,
} from "./volume-size.ts";

export interface CreateVolumeOptions {
  readonly appliances: Appliances;
  /** Shared with everything of this process that takes space. */
  readonly claims: Claims;
  /** Marks the volumes of this cluster on an appliance that others use, too. */
  readonly cluster: string;
}

export interface VolumeOrder {
  /** What the CO calls it. */
  readonly name: string;
  readonly size: SizeRange;
  readonly uses: readonly VolumeUse[];
  readonly parameters: Parameters;
  /** `undefined` = blank. */
  readonly source?: ContentSource | undefined;
}

export interface CreatedVolume {
  readonly id: string;
  readonly sizeBytes: number;
  /** What nodes are told about it. */
  readonly context: Record<string, string>;
}

/** The id that `createVolume()` gives to a volume of this order. */
export function idForOrder(
  { name, parameters }: Pick<VolumeOrder, "name" | "parameters">,
  appliances: Appliances,
): string {
  return idOf(slotForName(name), chosenAppliance(parameters, appliances));
}

/**
 * Makes the volume, or finds the one that an earlier try has made, and finishes it. Two round trips.
 * @throws {DriverError} `already-exists` for a volume of another size or source, `out-of-range` and
 * `resource-exhausted` for lack of space, `invalid-argument` for an order that makes no sense, `not-found` for a
 * source that is not there.
 */
export async function createVolume(
  { appliances, claims, cluster }: CreateVolumeOptions,
  order: VolumeOrder,
  ctx: Context,
): Promise<CreatedVolume> {
  const slot = slotForName(order.name);
  const access = commonAccess(order.uses);
  checkParameters(order.parameters, access);
  const appliance = chosenAppliance(order.parameters, appliances);
  const minimumBytes = minimumSize(access);
  // A range that makes no sense is refused before anything is sent; of a copy the size is not known yet.
  newVolumeSize(order.size, minimumBytes);
  const wanted = order.source && (await wantedOrigin(order.source, appliance, { appliances, ctx }));
  const source = wanted && sourceOf(wanted);
  const tag = { ...blankTag, cluster, source, ...originOf(order.parameters) };
  warnAboutRetired(order.parameters, ctx);

  const survey = await appliance.volumes.survey(ctx);
  const existing = listed({ slot }, survey);
  const site = { appliance, claims, survey };
  if (wanted !== undefined && existing === undefined) await refuseUnlisted(wanted, site, ctx);
  const found =
    existing ?? (await make(site, { slot, tag, wanted, minimumBytes, size: order.size }, ctx));
  const volume = await finish(found, { source, order, site }, ctx);
  requireSame(volume, { source, order });
  const id = idOf(slot, appliance);
  return { id, sizeBytes: volume.sizeBytes, context: volumeContextOf(order.parameters) };
}

const blankTag = {
  revision: 1,
  attachment: undefined,
  epoch: undefined,
  departure: undefined,
  halted: false,
};

function warnAboutRetired(given: Parameters, ctx: Context): void {
  const parameters = retiredParameters(given);
  if (parameters.length > 0)
    ctx.log.warn({ parameters }, "StorageClass parameters without effect are ignored");
}

interface Site {
  readonly appliance: Appliance;
  readonly claims: Claims;
  readonly survey: Survey;
}

interface Plan extends Pick<NewVolume, "slot" | "tag"> {
  readonly wanted: WantedOrigin | undefined;
  readonly size: SizeRange;
  readonly minimumBytes: number;
}

function specFor({ slot, tag, wanted, size, minimumBytes }: Plan, site: Site): NewVolume {
  if (wanted === undefined) return { slot, tag, sizeBytes: newVolumeSize(size, minimumBytes) };
  const origin = requireOrigin(wanted, { size, ...site });
  const asked = { ...size, requiredBytes: Math.max(size.requiredBytes, sizeOf(origin)) };
  return { slot, tag, origin, sizeBytes: newVolumeSize(asked, minimumBytes) };
}

async function make(site: Site, plan: Plan, ctx: Context): Promise<Volume> {
  const { appliance, ...room } = site;
  const spec = specFor(plan, site);
  const { slot, sizeBytes, tag } = spec;
  const volumeId = idOf(slot, appliance);
  const act = `create volume "${volumeId}" of ${formatBytes(sizeBytes)}`;
  using _claim = claimRoom({ act, addedBytes: sizeBytes, sizeBytes }, room, appliance);
  const volume = await appliance.volumes.create(spec, ctx);
  const from = tag.source === undefined ? {} : { from: tag.source };
  ctx.log.info({ volumeId, sizeBytes: volume.sizeBytes, ...from }, "Volume created");
  return volume;
}

interface Same {
  readonly source: string | undefined;
  readonly order: VolumeOrder;
}

/**
 * A copy has its origin's size before it is grown: an earlier try, or this one, may have ended between the two.
 * @throws {DriverError} `unavailable` for whatever keeps it from growing: after a final answer the CO may forget a volume
 * that is there.
 */
async function finish(
  volume: Volume,
  { source, order, site: { appliance, ...room } }: Same & { readonly site: Site },
  ctx: Context,
): Promise<Volume> {
  const { sizeBytes, tag } = volume;
  const isNew = tag.revision === blankTag.revision;
  if (source === undefined || tag.source !== source || !isNew) return volume;
  requireSize(volume, appliance);
  if (sizeBytes >= order.size.requiredBytes) return volume;
  const wantedBytes = grownVolumeSize(order.size, sizeBytes);
  const seen = listed(volume, room.survey);
  const addedBytes = wantedBytes - (seen?.sizeBytes ?? 0);
  const act = `grow the new volume "${idOf(volume.slot, appliance)}" to ${formatBytes(wantedBytes)}`;
  try {
    using _claim = claimRoom({ act, addedBytes, sizeBytes: wantedBytes }, room, appliance);
    return await appliance.volumes.grow(volume, wantedBytes, ctx);
  } catch (cause) {
    if (!(cause instanceof DriverError)) throw cause;
    throw new DriverError("unavailable", cause.message, { cause });
  }
}

/** An earlier try may have asked for something else under this name. */
function requireSame({ slot, sizeBytes, tag }: Volume, { source, order }: Same): void {
  const cannot = `Cannot create volume "${order.name}": "${slot}" exists`;
  if (!isWithin(sizeBytes, order.size))
    throw new DriverError(
      "already-exists",
      `${cannot} with ${sizeBytes} bytes, asked for are ${describeRange(order.size)}`,
    );
  if (tag.source === source) return;
  const made = tag.source === undefined ? "was made blank" : `was made from "${tag.source}"`;
  const asked = source === undefined ? "a blank one" : `one from "${source}"`;
  throw new DriverError("already-exists", `${cannot} and ${made}, asked for is ${asked}`);
}
