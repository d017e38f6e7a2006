import type { StagedVolume } from "#domain/staged-volume.ts";
import type { Context } from "#lib/context.ts";
import type { KeyedMutex } from "#lib/keyed-mutex.ts";
import { connectInTime } from "../connect-in-time.ts";
import type { WatchHost } from "./host.ts";
import type { Watched } from "./watched.ts";

const firstPauseMs = 10_000;
const longestPauseMs = 600_000;

/**
 * Whether it is time to try again the addresses that a volume has lost. It works at another one, so that this is no
 * incident; but the kernel forgets an address that it has given up, and then one more loss is an outage.
 */
export function isThin({ target }: StagedVolume, watched: Watched, now: number): boolean {
  const { paths, thin } = watched;
  if (paths === undefined || paths >= target.addresses.length) {
    watched.thin = undefined;
    return false;
  }
  if (thin === undefined) watched.thin = { dueAt: now + firstPauseMs, pauseMs: firstPauseMs };
  else if (now >= thin.dueAt) {
    const pauseMs = Math.min(2 * thin.pauseMs, longestPauseMs);
    watched.thin = { dueAt: now + pauseMs, pauseMs };
    return true;
  }
  return false;
}

/** Connects at the addresses without a controller. Never throws: it is tried again, ever more seldom. */
export async function widen(
  { volumeId, target }: StagedVolume,
  { host, locks }: { readonly host: WatchHost; readonly locks: KeyedMutex },
  ctx: Context,
): Promise<void> {
  using lock = locks.tryAcquire(volumeId);
  if (lock === undefined) return;
  try {
    const volume = await host.records.find(volumeId, ctx);
    if (volume?.phase !== "staged" || volume.target.nqn !== target.nqn) return;
    ctx.log.info({ addresses: target.addresses }, "Connecting a volume where it has lost a path");
    await connectInTime(volume, host.initiator, ctx);
    host.connections.forget(target.nqn);
  } catch (error) {
    if (ctx.signal.aborted) return;
    ctx.log.warn({ error: String(error) }, "Cannot connect a volume where it has lost a path");
  }
}
