import type { Volume } from "#domain/volume.ts";
import type { VolumeTag } from "#domain/volume-tag.ts";
import type { Clock } from "#lib/clock.ts";
import type { Context } from "#lib/context.ts";
import { renewed } from "./attachment.ts";
import type { VolumeLocation } from "./located-volume.ts";

/**
 * Turns the export off. The rest until another node may have the volume begins when that has happened, and its date is
 * written before, in whole seconds, rounded up: where it has passed by then, it is written once more.
 * @param tagAt - what to record, by the date in milliseconds since the Unix epoch.
 * @returns the volume, as read back; `undefined` when somebody else was faster.
 */
export async function cutOff(
  volume: Volume,
  tagAt: (now: number) => VolumeTag,
  { appliance, clock }: Pick<VolumeLocation, "appliance"> & { readonly clock: Clock },
  ctx: Context,
): Promise<Volume | undefined> {
  const change = { tag: tagAt(clock.now().getTime()), exported: { enabled: false } } as const;
  const idle = await appliance.volumes.change(volume, change, ctx);
  if (idle === undefined) return undefined;
  const tag = renewed(idle.tag, clock.now().getTime());
  if (tag.departure?.at === idle.tag.departure?.at) return idle;
  return await appliance.volumes.change(idle, { tag }, ctx);
}
