import { DriverError } from "#domain/errors.ts";
import type { StagedVolume } from "#domain/staged-volume.ts";
import type { Context } from "#lib/context.ts";
import { refuseInUse } from "./device-users.ts";
import { holdDevice } from "./hold.ts";
import type { NodeHost } from "./host.ts";
import type { Staging } from "./staging.ts";
import { awaitDevice } from "./volume-device.ts";
import type { VolumeDisk } from "./volume-disk.ts";

/**
 * Connects a volume, waits for its device, at least as large as the controller said, and puts it under its hold.
 * This is the one place that decides what is mounted or handed to pods.
 * Its undo disconnects, but only what this driver began and nobody uses: a connection that was there before,
 * that of a volume already staged, or one whose device waits for an outage to end, may carry somebody's data.
 * @throws {DriverError} `unavailable` when the target cannot be reached or shows no such device in time.
 */
export async function attach(
  volume: StagedVolume,
  staging: Staging,
  ctx: Context,
): Promise<VolumeDisk> {
  const { host, undo, minSizeBytes, resumed } = staging;
  const { nqn } = volume.target;
  const before = await host.initiator.findDevice(nqn, ctx);
  const isNew = before === undefined && volume.phase !== "staged";
  if (isNew || resumed) undo.add((undoCtx) => disconnectIfUnused(volume, host, undoCtx));
  await host.initiator.connect(volume.target, volume.connect, ctx);
  if (volume.phase === "connecting") undo.add((undoCtx) => disconnectUnseen(volume, host, undoCtx));
  const device = await awaitDevice({ nqn, minSizeBytes }, host, ctx);
  return await holdDevice(device, staging, ctx);
}

/**
 * A new connection that is live and shows no disk may have died in the moment when it was made, and would say that it is live for ever.
 * Nobody can have anything open that was never there.
 */
async function disconnectUnseen(
  { target: { nqn } }: StagedVolume,
  host: NodeHost,
  ctx: Context,
): Promise<void> {
  const nodes = await host.initiator.nodesOf(nqn, ctx);
  const hold = await host.holds?.find(nqn, ctx);
  if (nodes.length === 0 && hold === undefined) await host.initiator.disconnect(nqn, ctx);
}

async function disconnectIfUnused(
  { volumeId, target }: StagedVolume,
  host: NodeHost,
  ctx: Context,
): Promise<void> {
  const act = `disconnect volume "${volumeId}"`;
  const device = await host.initiator.findDevice(target.nqn, ctx);
  if (device === undefined) return;
  await refuseInUse(device, act, host, ctx);
  // it may lie elsewhere, and wait for this very connection
  const hold = await host.holds?.find(target.nqn, ctx);
  if (hold !== undefined)
    throw new DriverError("unavailable", `Cannot ${act}: its hold "${hold.path}" is still there`);
  await host.initiator.disconnect(target.nqn, ctx);
  const record = await host.records.find(volumeId, ctx);
  if (record?.phase === "connecting") await host.records.remove(volumeId, ctx);
}
