import type { Volume } from "#domain/volume.ts";
import type { VolumeTag } from "#domain/volume-tag.ts";
import type { Clock } from "#lib/clock.ts";
import type { Context } from "#lib/context.ts";
import { renewed } from "./attachment.ts";
import type { VolumeLocation } from "./located-volume.ts";

/** A date on record is in whole seconds, rounded up. */
const slackMs = 1_000;

/**
 * Turns the export off. The rest until another node may have the volume begins when that has happened, and its date is
 * written before: where many calls wait for the console, or RouterOS takes its time, it is written once more.
 * @param tagAt - what to record, by the date in milliseconds since the Unix epoch.
 * @returns the volume, as read back; `undefined` when somebody else was faster.
 */
export async function cutOff(
  volume: Volume,
  tagAt: (now: number) => VolumeTag,
  { appliance, clock }: Pick<VolumeLocation, "appliance"> & { readonly clock: Clock },
  ctx: Context,
): Promise<Volume | undefined> {
  const began = clock.elapsed();
  const change = { tag: tagAt(clock.now().getTime()), exported: { enabled: false } } as const;
  const idle = await appliance.volumes.change(volume, change, ctx);
  if (idle === undefined || clock.elapsed() - began <= slackMs) return idle;
  const tag = renewed(idle.tag, clock.now().getTime());
  return await appliance.volumes.change(idle, { tag }, ctx);
}
