import { DriverError } from "#domain/errors.ts";
import type { Appliance } from "#domain/ports/appliances.ts";
import type { VolumeChange } from "#domain/ports/volume-store.ts";
import type { Volume } from "#domain/volume.ts";
import type { Context } from "#lib/context.ts";
import { cutUnknown, halt, resume } from "./attachment.ts";
import { epochNqn } from "./epoch-nqn.ts";
import { idOf } from "./located-volume.ts";

type ChangeFor = (volume: Volume) => VolumeChange;

/**
 * Takes exports off without taking volumes from their nodes; who uses a volume that is attached to nobody is cut off
 * for good. One that fails keeps no other from it.
 * @throws {DriverError} `unavailable`.
 */
export async function takeOff(
  volumes: readonly Volume[],
  appliance: Appliance,
  now: number,
  ctx: Context,
): Promise<void> {
  const exported = { enabled: false } as const;
  const changeFor: ChangeFor = ({ tag }) => ({
    tag: tag.attachment === undefined ? cutUnknown(tag, now) : halt(tag),
    exported,
  });
  await changeAll(volumes, changeFor, { appliance, done: "Export taken off" }, ctx);
}

/** The reverse, under the same names. @returns whether all are back. @throws {DriverError} `unavailable`. */
export async function putBack(
  volumes: readonly Volume[],
  appliance: Appliance,
  ctx: Context,
): Promise<boolean> {
  const { port } = appliance.data;
  const changeFor: ChangeFor = (volume) => {
    const tag = resume(volume.tag);
    if (tag.attachment === undefined) return { tag };
    return { tag, exported: { enabled: true, nqn: epochNqn(volume), port } };
  };
  return await changeAll(volumes, changeFor, { appliance, done: "Export put back" }, ctx);
}

interface Work {
  readonly appliance: Appliance;
  /** What the log says of each volume. */
  readonly done: string;
}

async function changeAll(
  volumes: readonly Volume[],
  changeFor: ChangeFor,
  work: Work,
  ctx: Context,
): Promise<boolean> {
  let isDone = true;
  for (const volume of volumes) isDone = (await change(volume, changeFor, work, ctx)) && isDone;
  return isDone;
}

async function change(
  volume: Volume,
  changeFor: ChangeFor,
  { appliance, done }: Work,
  ctx: Context,
): Promise<boolean> {
  const volumeId = idOf(volume.slot, appliance);
  const { nqn } = volume.exported;
  try {
    const changed = await appliance.volumes.change(volume, changeFor(volume), ctx);
    if (changed !== undefined) ctx.log.warn({ volumeId, nqn }, done);
    return changed !== undefined;
  } catch (error) {
    if (!(error instanceof DriverError) || error.kind === "unavailable") throw error;
    ctx.log.error({ volumeId, nqn, error: error.message }, "Cannot switch an export");
    return false;
  }
}
