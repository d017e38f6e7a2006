import type { Hold } from "#domain/ports/device-mapper.ts";
import type { Mount } from "#domain/ports/mounts.ts";
import type { StagedVolume } from "#domain/staged-volume.ts";
import { type Context, withTimeout } from "#lib/context.ts";
import { topmostAt } from "../mount-table.ts";
import { release } from "../release.ts";
import type { WatchHost } from "./host.ts";

/** The plugin serves calls after that, whatever is left to do. */
const adoptLimitMs = 30_000;
const abandonLimitMs = 10_000;

/**
 * Matches what an earlier life of this plugin left on the node, before any call is served: I/O that an interrupted
 * change of a hold stopped goes on, what was begun and is not used is taken away, until the CO asks for it again, and
 * holds that nobody has a record of, or open, are removed. While a record cannot be read, nobody can tell whose a hold
 * is that no other names. One line tells of each volume and of each hold left over. It needs neither Kubernetes nor the
 * appliance, and never throws.
 */
export async function adopt(host: WatchHost, ctx: Context): Promise<void> {
  using bounded = withTimeout(ctx, adoptLimitMs);
  try {
    const holds = (await host.holds?.list(bounded)) ?? [];
    await Promise.all(holds.map((hold) => mend(hold, host, bounded)));
    const { volumes, damaged } = await host.records.list(bounded);
    const mounts = await host.mounts.list(bounded);
    for (const volume of volumes) report(volume, { holds, mounts }, host, bounded);
    const begun = volumes.filter(({ phase }) => phase === "connecting");
    for (const volume of begun) await abandon(volume, host, bounded);
    const known = new Set(volumes.map(({ target }) => target.nqn));
    const unknown = holds.filter(({ nqn }) => !known.has(nqn));
    if (damaged.length > 0) leave(unknown, bounded);
    else for (const hold of unknown) await settle(hold, host, bounded);
  } catch (error) {
    ctx.log.error({ error: String(error) }, "Cannot match what an earlier run left on this node");
  }
}

/** Before everything else, and of unknown ones too: a process may sleep on it. */
export async function mend(hold: Hold, host: WatchHost, ctx: Context): Promise<void> {
  const { nqn } = hold;
  try {
    if (hold.suspended && host.connections.observe(nqn).device === undefined) {
      ctx.log.warn({ nqn, hold: hold.path }, "Left a hold parked: its volume is away");
    } else if (hold.suspended) {
      await host.holds?.resume(nqn, ctx);
      ctx.log.warn({ nqn }, "Resumed a hold whose change had been interrupted");
    } else if (await isHalfOpen(hold, host, ctx)) {
      await host.holds?.queueAgain(nqn, ctx);
      ctx.log.warn({ nqn }, "Closed a hold that had been passing on errors");
    }
  } catch (error) {
    ctx.log.error({ nqn, error: String(error) }, "Cannot mend a hold that an earlier run left");
  }
}

/** It does not queue, but has not ended either: its device is there. To a stage call it would look ended. */
async function isHalfOpen(
  { nqn }: Hold,
  { holds, connections }: WatchHost,
  ctx: Context,
): Promise<boolean> {
  const status = await holds?.status(nqn, ctx);
  return (
    status?.queueing === false && connections.observe(nqn).device?.majorMinor === status.device
  );
}

function report(
  { volumeId, target: { nqn }, phase, stagingPath }: StagedVolume,
  { holds, mounts }: { readonly holds: readonly Hold[]; readonly mounts: readonly Mount[] },
  { connections }: WatchHost,
  ctx: Context,
): void {
  const { state, device } = connections.observe(nqn);
  const hold = holds.find((candidate) => candidate.nqn === nqn)?.path;
  const mounted = topmostAt(mounts, stagingPath)?.majorMinor;
  const facts = { volumeId, nqn, phase, connection: state, device: device?.path, hold, mounted };
  ctx.log.info(facts, "Found a volume of an earlier run");
}

/**
 * Of staging that was cut short before anything was written, a connection and a hold may be left, which would try to
 * reach a target for ever that exports the volume elsewhere by now. One that is mounted was nearly done: the CO goes on.
 */
export async function abandon(volume: StagedVolume, host: WatchHost, ctx: Context): Promise<void> {
  const { volumeId, stagingPath, target } = volume;
  const facts = { volumeId, nqn: target.nqn };
  try {
    using limited = withTimeout(ctx, abandonLimitMs);
    if (topmostAt(await host.mounts.list(limited), stagingPath) !== undefined) return;
    await release(volume, "keep", host, limited);
    ctx.log.info(facts, "Took away what an earlier run had begun and not finished");
  } catch (error) {
    ctx.log.warn({ ...facts, error: String(error) }, "Left what an earlier run had begun");
  }
}

function leave(holds: readonly Hold[], ctx: Context): void {
  for (const { nqn, path } of holds)
    ctx.log.warn(
      { nqn, hold: path },
      "Left a hold alone: a record that cannot be read may name it",
    );
}

/** Its NQN is not disconnected: only what a record names is known to be ours to end. */
export async function settle(
  { nqn, path }: Hold,
  { holds }: WatchHost,
  ctx: Context,
): Promise<void> {
  const facts = { nqn, hold: path };
  try {
    await holds?.remove(nqn, ctx);
    ctx.log.info(facts, "Removed a hold that nobody uses and no record names");
  } catch (error) {
    ctx.log.warn({ ...facts, error: String(error) }, "Left a hold alone that no record names");
  }
}
