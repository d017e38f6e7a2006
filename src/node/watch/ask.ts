import { type DriverError, isFailure } from "#domain/errors.ts";
import type { Connection } from "#domain/ports/connections.ts";
import { NoAnswer } from "#domain/ports/direct-reads.ts";
import type { Context } from "#lib/context.ts";
import type { WatchHost } from "./host.ts";
import type { HeldSight, Unanswered } from "./sight.ts";
import type { Watched } from "./watched.ts";

/** A connection that breaks later is noticed by the kernel itself. */
const answerLastsMs = 10_000;
/**
 * With native NVMe multipath, which holds need, what is dead gives no error, but no answer. Without it the kernel tries a few times and gives
 * up; an error after so many resets is that of a disk which cannot read its first block.
 */
const mostResetsForError = 3;
const firstResetLastsMs = 5_000;
const longestResetLastsMs = 60_000;
/** Whoever reads a block that cannot be read is likely to read it again, and each reset makes all others wait. */
const newlyMadeMs = 60_000;

/**
 * Whether a connection that is back answers. One that broke in the moment when the kernel had made it is `live` for ever and never
 * answers: the kernel ignores the loss while its state is `connecting`, and gives up its keep-alive at the first that cannot be
 * sent. Seen on Linux 6.12 (`failed nvme_keep_alive_end_io error=4`, then `failed to send request -32` for each request); source:
 * drivers/nvme/host/tcp.c, `nvme_tcp_error_recovery`. A hold that lies on the device is not asked for: its paths fail, and tell.
 * @returns why not; `undefined` when it does, or when there is no incident or nothing to ask.
 */
export async function ask(
  { connection, hold }: { readonly connection: Connection; readonly hold: HeldSight | undefined },
  watched: Watched,
  { clock, reads }: WatchHost,
  ctx: Context,
): Promise<Unanswered | undefined> {
  const { state, device } = connection;
  const { answered } = watched;
  if (state !== "live" || device === undefined) {
    watched.answered = undefined;
    watched.liveSince = undefined;
    return undefined;
  }
  watched.liveSince ??= clock.elapsed();
  if (!watched.isLost || hold?.status?.device === device.majorMinor) return undefined;
  const isSame = answered?.majorMinor === device.majorMinor;
  if (isSame && clock.elapsed() - answered.at < answerLastsMs) return undefined;
  const failure = await failureOf(reads.readDirect(device.path, ctx), ctx);
  const isSilent = failure instanceof NoAnswer;
  const mayBeDead = hold === undefined && watched.past.resets < mostResetsForError;
  const isAnswer = failure === undefined || !(isSilent || mayBeDead);
  watched.answered = isAnswer ? { majorMinor: device.majorMinor, at: clock.elapsed() } : undefined;
  if (isAnswer) return undefined;
  // What waits may have been sent to a connection that has ended.
  const liveMs = clock.elapsed() - watched.liveSince;
  const silentMs = isSilent ? Math.min(failure.silentMs, liveMs) : 0;
  return { reason: failure.message, silentMs };
}

async function failureOf(read: Promise<void>, ctx: Context): Promise<DriverError | undefined> {
  try {
    await read;
    return undefined;
  } catch (error) {
    ctx.signal.throwIfAborted();
    if (isFailure(error, "unavailable", "deadline-exceeded")) return error;
    throw error;
  }
}

/** Between two resets passes at least 10 s, and twice as long after each, up to a minute. */
export function mayReset({ past, madeAnewAt }: Watched, now: number): boolean {
  const lasts = Math.min(firstResetLastsMs * 2 ** past.resets, longestResetLastsMs);
  return past.resets === 0 || now - madeAnewAt >= lasts;
}

export function isNewlyMade({ madeAnewAt }: Watched, now: number): boolean {
  return now - madeAnewAt < newlyMadeMs;
}
