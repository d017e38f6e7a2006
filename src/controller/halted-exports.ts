import { DriverError } from "#domain/errors.ts";
import type { Appliance } from "#domain/ports/appliances.ts";
import type { Volume } from "#domain/volume.ts";
import type { Clock } from "#lib/clock.ts";
import type { Context } from "#lib/context.ts";
import { cutUnknown, halt, resume } from "./attachment.ts";
import { cutOff } from "./cut-off.ts";
import { idOf } from "./located-volume.ts";
import { restoreExport } from "./restore-export.ts";

/** What to do with one volume. @returns it as read back, `undefined` when somebody else was faster. */
type Step = (volume: Volume) => Promise<Volume | undefined>;

/**
 * Takes exports off without taking volumes from their nodes; who uses a volume that is attached to nobody is cut off
 * for good. One that cannot be changed keeps no other from it.
 * @throws {DriverError} when the appliance is away.
 */
export async function takeOff(
  volumes: readonly Volume[],
  { appliance, clock }: { readonly appliance: Appliance; readonly clock: Clock },
  ctx: Context,
): Promise<void> {
  const step: Step = (volume) => {
    if (volume.tag.attachment === undefined)
      return cutOff(volume, (now) => cutUnknown(volume.tag, now), { appliance, clock }, ctx);
    const halted = { tag: halt(volume.tag), exported: { enabled: false } } as const;
    return appliance.volumes.change(volume, halted, ctx);
  };
  for (const volume of volumes)
    await take(step, volume, { appliance, done: "Export taken off" }, ctx);
}

/**
 * The reverse, under the same names. A volume is halted until its export was seen to be on, so that whatever comes
 * between is put right by the next look.
 * @throws {DriverError} when the appliance is away.
 */
export async function putBack(
  volumes: readonly Volume[],
  appliance: Appliance,
  ctx: Context,
): Promise<void> {
  const step: Step = async (volume) => {
    const isAttached = volume.tag.attachment !== undefined;
    const ready = isAttached ? await restoreExport(volume, appliance, ctx) : volume;
    return ready && (await appliance.volumes.change(ready, { tag: resume(ready.tag) }, ctx));
  };
  for (const volume of volumes)
    await take(step, volume, { appliance, done: "Export put back" }, ctx);
}

interface Work {
  readonly appliance: Appliance;
  /** What the log says of each volume. */
  readonly done: string;
}

async function take(step: Step, volume: Volume, { appliance, done }: Work, ctx: Context) {
  const volumeId = idOf(volume.slot, appliance);
  const { nqn } = volume.exported;
  try {
    if ((await step(volume)) !== undefined) ctx.log.warn({ volumeId, nqn }, done);
  } catch (error) {
    if (!(error instanceof DriverError)) throw error;
    ctx.signal.throwIfAborted();
    ctx.log.error({ volumeId, nqn, error: error.message }, "Cannot switch an export");
    await appliance.ready(ctx);
  }
}
