import type { Hold } from "#domain/ports/device-mapper.ts";
import { type Context, withTimeout } from "#lib/context.ts";
import type { KeyedMutex } from "#lib/keyed-mutex.ts";
import { abandon, mend, settle } from "./adopt.ts";
import type { WatchHost } from "./host.ts";

const lateLimitMs = 60_000;

/**
 * What `adopt` could not do because dmsetup did not answer then, while calls are served. Staged volumes are the watch's by
 * now. What a call is busy with is left to it. Never throws.
 */
export async function adoptLate(host: WatchHost, locks: KeyedMutex, ctx: Context): Promise<void> {
  using bounded = withTimeout(ctx, lateLimitMs);
  try {
    const { volumes } = await host.records.list(bounded);
    for (const { volumeId } of volumes.filter(({ phase }) => phase === "connecting"))
      await abandonBegun(volumeId, { host, locks }, bounded);
    for (const hold of (await host.holds?.list(bounded)) ?? []) {
      if (await isUnknown(hold, host, bounded)) await mend(hold, host, bounded);
      // asked again: a call may have begun to use it meanwhile
      if (await isUnknown(hold, host, bounded)) await settle(hold, host, bounded);
    }
  } catch (error) {
    if (ctx.signal.aborted) return;
    ctx.log.error({ error: String(error) }, "Cannot match what an earlier run left on this node");
  }
}

async function abandonBegun(
  volumeId: string,
  { host, locks }: { readonly host: WatchHost; readonly locks: KeyedMutex },
  ctx: Context,
): Promise<void> {
  using lock = locks.tryAcquire(volumeId);
  if (lock === undefined) return;
  const volume = await host.records.find(volumeId, ctx);
  if (volume?.phase !== "connecting" || host.tools.has(volume.target.nqn)) return;
  await abandon(volume, host, ctx);
}

/** Not while a record cannot be read: it may name it. */
async function isUnknown({ nqn }: Hold, { records }: WatchHost, ctx: Context): Promise<boolean> {
  const { volumes, damaged } = await records.list(ctx);
  return damaged.length === 0 && !volumes.some(({ target }) => target.nqn === nqn);
}
