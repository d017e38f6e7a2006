import { type DriverError, isFailure } from "#domain/errors.ts";
import type { Connection } from "#domain/ports/connections.ts";
import type { Context } from "#lib/context.ts";
import type { WatchHost } from "./host.ts";
import type { HeldSight } from "./sight.ts";
import type { Watched } from "./watched.ts";

/** A connection that breaks later is noticed by the kernel itself. */
const answerLastsMs = 10_000;
/** Within 30 s (`nvme_core.io_timeout`) the kernel notices a command that is under way and not answered: then none is. */
const silenceMs = 35_000;
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
): Promise<string | undefined> {
  const { state, device } = connection;
  const { answered } = watched;
  if (state !== "live" || device === undefined) {
    watched.answered = undefined;
    watched.silentSince = undefined;
    return undefined;
  }
  if (!watched.isLost || hold?.status?.device === device.majorMinor) return undefined;
  const isSame = answered?.majorMinor === device.majorMinor;
  if (isSame && clock.elapsed() - answered.at < answerLastsMs) return undefined;
  const askedAt = clock.elapsed();
  const failure = await failureOf(reads.readDirect(device.path, ctx), ctx);
  const isSilence = isFailure(failure, "deadline-exceeded");
  watched.silentSince = isSilence ? (watched.silentSince ?? askedAt) : undefined;
  // An error that a new connection gives as well is the answer of a disk that cannot read its first block.
  const isAnswer = failure === undefined || (watched.past.resets > 0 && !isSilence);
  watched.answered = isAnswer ? { majorMinor: device.majorMinor, at: clock.elapsed() } : undefined;
  return isAnswer ? undefined : failure.message;
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

/**
 * What is under way on a connection that is made anew is sent again, and a slow target may carry out the first of it last. So
 * a silent one without a hold, which pods use meanwhile, has the time in which the kernel would do the same. Between two resets
 * passes at least 10 s, and twice as long after each, up to a minute.
 */
export function mayReset(
  { past, resetAt, silentSince }: Watched,
  hold: HeldSight | undefined,
  now: number,
): boolean {
  const lasts = Math.min(firstResetLastsMs * 2 ** past.resets, longestResetLastsMs);
  if (past.resets > 0 && now - resetAt < lasts) return false;
  return hold !== undefined || silentSince === undefined || now - silentSince >= silenceMs;
}

export function isNewlyMade({ resetAt }: Watched, now: number): boolean {
  return now - resetAt < newlyMadeMs;
}
