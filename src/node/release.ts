import { DriverError, isFailure } from "#domain/errors.ts";
import type { Nqn } from "#domain/nqn.ts";
import type { StagedVolume } from "#domain/staged-volume.ts";
import type { Context } from "#lib/context.ts";
import { clearStagingPath, refusePublished } from "./clear-staging.ts";
import { mountsOf, refuseHolders, refuseInUse, refuseMountedElsewhere } from "./device-users.ts";
import type { NodeHost } from "./host.ts";
import { overText, releaseHold, type Unwritten } from "./release-hold.ts";

/**
 * Takes a volume off this node: ends the tool that still rewrites it, unmounts its staging path, removes its hold,
 * disconnects the NQN that its record names (and no other), and forgets the record last. Success means that the kernel has neither mount nor hold nor
 * controller left; the volume may then be written to elsewhere.
 * @throws {DriverError} `failed-precondition` while it is published, `unavailable` while it is busy or when
 * the connection would not go.
 */
export async function release(
  volume: StagedVolume,
  unwritten: Unwritten,
  host: NodeHost,
  ctx: Context,
): Promise<void> {
  const { nqn } = volume.target;
  const { holds, tools } = host;
  await tools.end(nqn, ctx);
  const hold = await holds?.find(nqn, ctx);
  if (holds !== undefined && hold !== undefined)
    await releaseHold({ volume, hold, unwritten }, { ...host, holds }, ctx);
  else if (unwritten === "discard") await discardStaged(volume, host, ctx);
  else {
    await unmountStaged(volume, host, ctx);
    await removeHidden(nqn, host, ctx);
  }
  const device = await host.initiator.findDevice(nqn, ctx);
  if (device !== undefined)
    await refuseInUse(device, `unstage volume "${volume.volumeId}"`, host, ctx);
  else if (unwritten === "keep") await refuseUnwritten(volume, host, ctx);
  if (volume.phase === "formatting")
    ctx.log.warn({ nqn }, "Letting go of a volume that was never fully formatted");
  await host.initiator.disconnect(nqn, ctx);
  await proveGone(volume, host, ctx);
  await host.records.remove(volume.volumeId, ctx);
  host.health.forget(volume.volumeId);
}

/** A hold that was cut short while it was made does not show, and is on the device all the same. */
async function removeHidden(nqn: Nqn, { holds }: NodeHost, ctx: Context): Promise<void> {
  await holds?.remove(nqn, ctx);
}

/** Unmounting writes back what is dirty, and so waits for a connection that is lost. */
async function unmountStaged(volume: StagedVolume, host: NodeHost, ctx: Context): Promise<void> {
  const { stagingPath, target } = volume;
  const act = `unstage volume "${volume.volumeId}"`;
  try {
    await clearStagingPath(stagingPath, act, host, ctx);
  } catch (error) {
    if (!isFailure(error, "unavailable") || ctx.signal.aborted) throw error;
    if ((await host.initiator.findDevice(target.nqn, ctx)) !== undefined) throw error;
    throw stillWaiting(volume, error);
  }
}

/** In this order nothing is written: the connection goes, and then the unmount finds no disk. */
async function discardStaged(
  { volumeId, stagingPath, target: { nqn } }: StagedVolume,
  host: NodeHost,
  ctx: Context,
): Promise<void> {
  const act = `unstage volume "${volumeId}"`;
  await refusePublished(stagingPath, act, host, ctx);
  const device = await host.initiator.findDevice(nqn, ctx);
  const mounts = device === undefined ? [] : await mountsOf(device, host, ctx);
  refuseMountedElsewhere(mounts, stagingPath, act);
  await removeHidden(nqn, host, ctx);
  if (device !== undefined) await refuseHolders(device, act, host, ctx);
  ctx.log.warn({ volumeId, nqn, stagingPath }, overText);
  await host.initiator.disconnect(nqn, ctx);
  await clearStagingPath(stagingPath, act, host, ctx);
}

/**
 * The last unmount takes the mount out of the table and only then writes back. When its call was ended meanwhile, the next one
 * sees no mount, and still must not disconnect: what waits for the connection would be lost.
 */
async function refuseUnwritten(
  volume: StagedVolume,
  { initiator, devices }: NodeHost,
  ctx: Context,
): Promise<void> {
  for (const node of await initiator.nodesOf(volume.target.nqn, ctx))
    if (await devices.isClaimed(node, ctx)) throw stillWaiting(volume);
}

function stillWaiting({ volumeId, target }: StagedVolume, cause?: DriverError): DriverError {
  return new DriverError(
    "unavailable",
    `Cannot unstage volume "${volumeId}": the connection to "${target.nqn}" is lost, and data not written back waits for it (if it never returns, "nvme disconnect -n ${target.nqn}" on this node, or 1 written to delete_controller of its controller in /sys/class/nvme, discards that data)`,
    { cause },
  );
}

async function proveGone(
  { volumeId, target }: StagedVolume,
  { initiator, holds }: NodeHost,
  ctx: Context,
): Promise<void> {
  const device = await initiator.findDevice(target.nqn, ctx);
  const hold = await holds?.find(target.nqn, ctx);
  const left = device ?? hold;
  if (left === undefined) return;
  throw new DriverError(
    "unavailable",
    `Cannot unstage volume "${volumeId}": "${left.path}" is still ${device === undefined ? "the hold of" : "connected to"} "${target.nqn}"`,
  );
}
