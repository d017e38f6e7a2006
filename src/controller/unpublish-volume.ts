import { DriverError } from "#domain/errors.ts";
import type { Appliances } from "#domain/ports/appliances.ts";
import type { VolumeChange } from "#domain/ports/volume-store.ts";
import type { Volume } from "#domain/volume.ts";
import type { Clock } from "#lib/clock.ts";
import type { Context } from "#lib/context.ts";
import { cutUnknown, leave } from "./attachment.ts";
import { locateVolume, type VolumeLocation } from "./located-volume.ts";
import { untilWon } from "./until-won.ts";

export interface UnpublishOptions {
  readonly appliances: Appliances;
  readonly clock: Clock;
  /** Appliances whose pools have run full, by name. */
  readonly shutPools: ReadonlySet<string>;
}

export interface UnpublishRequest {
  readonly id: string;
  /** `undefined` = all of them. */
  readonly node: string | undefined;
}

/**
 * Takes a volume from a node. With the last one the export goes off, which cuts off a node that is still
 * connected; the epoch stays on record and is never exported again. Two round trips, three while the
 * pool runs full; not being attached is success.
 * @throws {DriverError} `unavailable` when the volume is still exported afterwards.
 */
export async function unpublishVolume(
  { appliances, clock, shutPools }: UnpublishOptions,
  request: UnpublishRequest,
  ctx: Context,
): Promise<void> {
  const location = locateVolume(request.id, appliances);
  if (location === undefined) {
    ctx.log.warn({ volumeId: request.id }, "Nothing to unpublish: not an id of this driver");
    return;
  }
  await untilWon(request.id, async () => {
    const volume = await location.appliance.volumes.find(location.slot, ctx);
    if (volume === undefined) return "absent";
    const change = withdrawal(volume, request.node, clock.now().getTime());
    if (change === undefined) return "not attached";
    const isGuarded = volume.tag.halted || shutPools.has(location.appliance.name);
    const changed = await apply(volume, change, location, ctx);
    return changed && isGuarded ? await seenAgain(changed, location, ctx) : changed;
  });
}

/**
 * A guard may have switched the export at that moment, in another replica: then what it wrote may be the older state,
 * for RouterOS does not promise that compare and set are one step. @returns `undefined` when it is.
 */
async function seenAgain(
  changed: Volume,
  { appliance, slot }: VolumeLocation,
  ctx: Context,
): Promise<Volume | undefined> {
  const found = await appliance.volumes.find(slot, ctx);
  return found?.comment === changed.comment ? found : undefined;
}

/** @returns `undefined` when there is nothing to withdraw. */
function withdrawal(
  { tag, exported }: Volume,
  node: string | undefined,
  now: number,
): VolumeChange | undefined {
  const nodes = tag.attachment?.nodes ?? [];
  const off = { enabled: false } as const;
  if (nodes.length === 0)
    return exported.enabled ? { tag: cutUnknown(tag, now), exported: off } : undefined;
  const leaving = node === undefined ? nodes : nodes.filter((one) => one === node);
  if (leaving.length === 0) return undefined;
  const left = leave(tag, leaving, now);
  return left.attachment === undefined ? { tag: left, exported: off } : { tag: left };
}

async function apply(
  volume: Volume,
  change: VolumeChange,
  { id, appliance }: VolumeLocation,
  ctx: Context,
): Promise<Volume | undefined> {
  const changed = await appliance.volumes.change(volume, change, ctx);
  if (changed === undefined) return undefined;
  if (change.exported !== undefined && changed.exported.enabled)
    throw new DriverError(
      "unavailable",
      `Cannot unpublish volume "${id}": appliance "${appliance.name}" still exports it as "${changed.exported.nqn}"`,
    );
  ctx.log.info(
    {
      volumeId: id,
      nodesBefore: volume.tag.attachment?.nodes ?? [],
      nodesAfter: changed.tag.attachment?.nodes ?? [],
      exported: changed.exported.enabled,
    },
    "Volume unpublished",
  );
  return changed;
}
