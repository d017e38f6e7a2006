import { isDeepStrictEqual } from "node:util";
import type { BlockDevice } from "#domain/block-device.ts";
import { DriverError, isFailure } from "#domain/errors.ts";
import type { Hold } from "#domain/ports/device-mapper.ts";
import type { StagedVolume } from "#domain/staged-volume.ts";
import type { Context } from "#lib/context.ts";
import { clearStagingPath } from "./clear-staging.ts";
import { connectInTime } from "./connect-in-time.ts";
import { mountsOf, refuseHolders, refuseMountedElsewhere } from "./device-users.ts";
import type { HoldingHost } from "./host.ts";
import { disprove } from "./prove.ts";
import { unmountOrDetachAll } from "./unmount.ts";
import { findDisk } from "./volume-disk.ts";

/**
 * What becomes of what was not written back yet. `discard`: it must not be, also over a connection that looks alive, for
 * its NQN is over and somebody else may have written to the volume since.
 */
export type Unwritten = "keep" | "discard";

export interface HeldVolume {
  readonly volume: StagedVolume;
  readonly hold: Hold;
  readonly unwritten: Unwritten;
}

const pauseMilliseconds = 500;

export const overText = "Discarding unwritten data of an attachment that has ended";
const awayText =
  "Ending the hold of a volume that is not there: what was not written back is discarded";

/**
 * Unmounts a volume and removes its hold. Writing back what is dirty waits for a connection that is lost: so it is
 * waited for first, `host.deviceWaitMilliseconds` long. Then the hold is ended, for nobody else will end it: what
 * was not written back is discarded, and the log says so. So it is at once when something else has come back in its place.
 * @throws {DriverError} `failed-precondition` while it is published; `unavailable` while it is in use, or when the
 * volume has come back and only its hold has yet to follow.
 */
export async function releaseHold(
  held: HeldVolume,
  host: HoldingHost,
  ctx: Context,
): Promise<void> {
  const { volume, hold } = held;
  const { stagingPath } = volume;
  const act = `unstage volume "${volume.volumeId}"`;
  const mounts = await mountsOf(hold, host, ctx);
  refuseMountedElsewhere(mounts, stagingPath, act);
  await refuseHolders(hold, act, host, ctx);
  if (mounts.length === 0 && volume.phase !== "staged")
    return await removeUnstaged(hold, host, ctx);
  // without a user there is nothing to write back
  if (mounts.length === 0 && (await isRemoved(hold, host, ctx))) return;
  if (await isUsable(held, host, ctx)) await clearStagingPath(stagingPath, act, host, ctx);
  else await discard(held, host, ctx);
  await host.holds.remove(hold.nqn, ctx);
}

/** Removes a hold. @returns `false` when somebody has it open. */
async function isRemoved(
  { nqn }: Pick<Hold, "nqn">,
  { holds }: Pick<HoldingHost, "holds">,
  ctx: Context,
): Promise<boolean> {
  try {
    await holds.remove(nqn, ctx);
    return true;
  } catch (error) {
    if (!isFailure(error, "unavailable") || ctx.signal.aborted) throw error;
    return false;
  }
}

/**
 * Removes the hold of a volume that is not staged yet, so that nobody has written to it. Who has it open is a tool of a call
 * that has ended, such as mount or mkfs, and waits for the device to come back: the watch looks after staged volumes only, so
 * it gets an error now or waits for ever.
 */
export async function removeUnstaged(
  hold: Pick<Hold, "nqn">,
  { holds }: Pick<HoldingHost, "holds">,
  ctx: Context,
): Promise<void> {
  if (await isRemoved(hold, { holds }, ctx)) return;
  const { nqn } = hold;
  ctx.log.warn({ nqn }, "Ending the hold of a volume that is not staged yet: a tool waits in it");
  await holds.failQueue(nqn, ctx);
  await holds.remove(nqn, ctx);
}

/**
 * Whether what is dirty can be written back, now or within the time that a device may take. Nobody has written to a volume
 * that was never staged, and the watch would not put its hold on a device that comes back. What the watch has seen does
 * not count here: what it refused may have been put right since.
 */
async function isUsable(held: HeldVolume, host: HoldingHost, ctx: Context): Promise<boolean> {
  const { hold, volume, unwritten } = held;
  if (unwritten === "discard") return false;
  if ((await findDisk(hold.nqn, host, ctx)) !== undefined) {
    if (hold.suspended) await host.holds.resume(hold.nqn, ctx);
    return true;
  }
  if (volume.phase !== "staged" || (await hasEnded(hold, host, ctx))) return false;
  return await returns(held, host, ctx);
}

/** A hold that was told to fail has lost what waited in it already. */
export async function hasEnded(
  { nqn, suspended }: Hold,
  { holds }: Pick<HoldingHost, "holds">,
  ctx: Context,
): Promise<boolean> {
  return !suspended && !(await holds.status(nqn, ctx)).queueing;
}

async function returns(held: HeldVolume, host: HoldingHost, ctx: Context): Promise<boolean> {
  const { hold, volume } = held;
  const deadline = host.clock.elapsed() + host.deviceWaitMilliseconds;
  for (;;) {
    if ((await findDisk(hold.nqn, host, ctx)) !== undefined) return true;
    const device = await host.initiator.findDevice(hold.nqn, ctx);
    if (device !== undefined) {
      await requireStranger(device, held, host, ctx);
      return false;
    }
    if (host.clock.elapsed() >= deadline) return false;
    await seek(volume, host, ctx);
    await host.clock.sleep(pauseMilliseconds, ctx.signal);
  }
}

/**
 * A target that starts may show something else for a moment: two looks must agree, the watch's and one right now.
 * @throws {DriverError} `unavailable` unless what came back is not the volume.
 */
async function requireStranger(
  device: BlockDevice,
  held: HeldVolume,
  host: HoldingHost,
  ctx: Context,
): Promise<void> {
  const { volume, hold } = held;
  const claim = { volume, device, minSizeBytes: hold.sizeBytes };
  const difference = await disprove(claim, host, ctx).catch((error: unknown) => {
    if (!(error instanceof DriverError) || ctx.signal.aborted) throw error;
    throw notFollowed(held, device, error.message);
  });
  // the name may have led elsewhere while it was looked at
  const now = await host.initiator.findDevice(hold.nqn, ctx);
  const known = host.health.conditionOf(volume.volumeId);
  if (difference === undefined || known?.state !== "refused" || !isDeepStrictEqual(now, device))
    throw notFollowed(held, device, difference ?? known?.obstacle);
  const facts = { nqn: hold.nqn, device: device.path, difference };
  ctx.log.warn(facts, "What came back is not the volume");
}

/** @param reason - Why its hold could not follow; `undefined` when it just has not yet. */
function notFollowed(
  { volume, hold }: HeldVolume,
  { path, majorMinor }: BlockDevice,
  reason: string | undefined,
): DriverError {
  const why = reason === undefined ? "" : `: ${reason}`;
  return new DriverError(
    "unavailable",
    `Cannot unstage volume "${volume.volumeId}": it came back as "${path}" (${majorMinor}), and its hold "${hold.path}" has not been put on it yet${why}`,
  );
}

/**
 * The watch leaves the volume alone while this call has its lock, and so it is for the call to ask: a target that is back
 * under another identity shows its namespace only after a rescan, one that the kernel has given up only to who connects.
 */
async function seek(volume: StagedVolume, { initiator }: HoldingHost, ctx: Context): Promise<void> {
  const { nqn } = volume.target;
  try {
    await connectInTime(volume, initiator, ctx);
    await initiator.rescan(nqn, ctx);
  } catch (error) {
    ctx.signal.throwIfAborted();
    ctx.log.debug({ nqn, error: String(error) }, "The volume is not back yet");
  }
}

/** In this order nothing waits: I/O without a path fails, then what waits in the namespace, then the unmount. */
async function discard(
  { volume, hold, unwritten }: HeldVolume,
  host: HoldingHost,
  ctx: Context,
): Promise<void> {
  const { volumeId, stagingPath } = volume;
  ctx.log.warn(
    { volumeId, nqn: hold.nqn, hold: hold.path, stagingPath },
    unwritten === "discard" ? overText : awayText,
  );
  await host.holds.failQueue(hold.nqn, ctx);
  await host.initiator.disconnect(hold.nqn, ctx);
  await unmountOrDetachAll(stagingPath, host, ctx);
}
