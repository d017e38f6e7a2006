import type { VolumeUse } from "#domain/access-mode.ts";
import { DriverError } from "#domain/errors.ts";
import type { Appliance, Appliances } from "#domain/ports/appliances.ts";
import type { NewVolume } from "#domain/ports/volume-store.ts";
import type { Volume } from "#domain/volume.ts";
import { slotForName } from "#domain/volume-id.ts";
import { volumeContextOf } from "#domain/volume-parameters.ts";
import { formatBytes } from "#lib/bytes.ts";
import type { Context } from "#lib/context.ts";
import type { Claims } from "./claims.ts";
import { commonAccess } from "./common-access.ts";
import { claimRoom } from "./headroom.ts";
import { idOf } from "./located-volume.ts";
import {
  checkParameters,
  chosenAppliance,
  originOf,
  type Parameters,
  retiredParameters,
} from "./storage-class.ts";
import {
  describeRange,
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
 * Makes the volume, or finds the one that an earlier try has made. Two round trips.
 * @throws {DriverError} `already-exists` for a volume of another size, `out-of-range` and
 * `resource-exhausted` for lack of space, `invalid-argument` for an order that makes no sense.
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
  const sizeBytes = newVolumeSize(order.size, minimumSize(access));
  const tag = { ...blankTag, cluster, ...originOf(order.parameters) };
  const retired = retiredParameters(order.parameters);
  if (retired.length > 0)
    ctx.log.warn({ parameters: retired }, "StorageClass parameters without effect are ignored");

  const volume = await findOrCreate({ appliance, claims }, { slot, sizeBytes, tag }, ctx);
  requireSame(volume, order);
  const id = idOf(slot, appliance);
  return { id, sizeBytes: volume.sizeBytes, context: volumeContextOf(order.parameters) };
}

const blankTag = {
  revision: 1,
  attachment: undefined,
  epoch: undefined,
  departure: undefined,
  source: undefined,
};

async function findOrCreate(
  { appliance, claims }: { readonly appliance: Appliance; readonly claims: Claims },
  spec: NewVolume,
  ctx: Context,
): Promise<Volume> {
  const survey = await appliance.volumes.survey(ctx);
  const existing = survey.volumes.find((volume) => volume.slot === spec.slot);
  if (existing !== undefined) return existing;
  const { slot, sizeBytes } = spec;
  const act = `create volume "${idOf(slot, appliance)}" of ${formatBytes(sizeBytes)}`;
  using _claim = claimRoom(
    { act, addedBytes: sizeBytes, sizeBytes },
    { survey, claims },
    appliance,
  );
  const volume = await appliance.volumes.create(spec, ctx);
  ctx.log.info({ volumeId: idOf(slot, appliance), sizeBytes: volume.sizeBytes }, "Volume created");
  return volume;
}

/** An earlier try may have asked for something else under this name. */
function requireSame({ slot, sizeBytes, tag }: Volume, { name, size }: VolumeOrder): void {
  const cannot = `Cannot create volume "${name}": "${slot}" exists`;
  if (!isWithin(sizeBytes, size))
    throw new DriverError(
      "already-exists",
      `${cannot} with ${sizeBytes} bytes, asked for are ${describeRange(size)}`,
    );
  if (tag.source !== undefined)
    throw new DriverError("already-exists", `${cannot} and was made from "${tag.source}"`);
}
