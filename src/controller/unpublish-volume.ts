import { accessModes } from "#domain/access-mode.ts";
import { DriverError } from "#domain/errors.ts";
import type { Appliances } from "#domain/ports/appliances.ts";
import type { Volume } from "#domain/volume.ts";
import type { Clock } from "#lib/clock.ts";
import type { Context } from "#lib/context.ts";
import { cutUnknown, leave, next, renewed } from "./attachment.ts";
import { cutOff } from "./cut-off.ts";
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
 * connected; the epoch stays on record and is never exported again. Not being attached is success; a publishing that was
 * given up on may still be on its way then, and must come too late. Two round trips, three while the pool runs full.
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
    const isGuarded = volume.tag.halted || shutPools.has(location.appliance.name);
    const changed = await withdraw(volume, request.node, { ...location, clock }, ctx);
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

interface Site extends VolumeLocation {
  readonly clock: Clock;
}

/** @returns the volume, as it is now; `undefined` when somebody else was faster. */
async function withdraw(
  volume: Volume,
  node: string | undefined,
  site: Site,
  ctx: Context,
): Promise<Volume | undefined> {
  const { tag, exported } = volume;
  const nodes = tag.attachment?.nodes ?? [];
  if (nodes.length === 0 && !exported.enabled) return await keepOff(volume, site, ctx);
  const leaving = node === undefined ? nodes : nodes.filter((one) => one === node);
  const isLast = leaving.length === nodes.length;
  if (leaving.length === 0 && !isLast) return await keepOut(volume, site, ctx);
  const tagAt = (now: number) =>
    nodes.length === 0 ? cutUnknown(tag, now) : leave(tag, leaving, now);
  const changed = isLast
    ? await cutOff(volume, tagAt, site, ctx)
    : await site.appliance.volumes.change(volume, { tag: tagAt(now(site)) }, ctx);
  if (changed === undefined) return undefined;
  if (isLast && changed.exported.enabled)
    throw new DriverError(
      "unavailable",
      `Cannot unpublish volume "${site.id}": appliance "${site.appliance.name}" still exports it as "${changed.exported.nqn}"`,
    );
  ctx.log.info(
    {
      volumeId: site.id,
      nodesBefore: nodes,
      nodesAfter: changed.tag.attachment?.nodes ?? [],
      exported: changed.exported.enabled,
    },
    "Volume unpublished",
  );
  return changed;
}

/** What was sent before finds another revision; what took effect amid this, for compare and set may be two steps, is cut off. */
async function keepOff(volume: Volume, site: Site, ctx: Context): Promise<Volume | undefined> {
  const change = { tag: renewed(volume.tag, now(site)) };
  const changed = await site.appliance.volumes.change(volume, change, ctx);
  return changed?.exported.enabled ? undefined : changed;
}

/** The same where others have the volume: of a volume for one node, their coming has made the revision another. */
async function keepOut(volume: Volume, site: Site, ctx: Context): Promise<Volume | undefined> {
  const { tag } = volume;
  const mayShare = tag.attachment && accessModes[tag.attachment.mode].nodes !== "one";
  return mayShare ? await site.appliance.volumes.change(volume, { tag: next(tag) }, ctx) : volume;
}

function now({ clock }: Site): number {
  return clock.now().getTime();
}
