import { type DriverError, isFailure } from "#domain/errors.ts";
import type { Connection } from "#domain/ports/connections.ts";
import { type Context, withTimeout } from "#lib/context.ts";
import { mostReinstatements } from "./decide.ts";
import type { WatchHost } from "./host.ts";
import type { HeldSight, Past } from "./sight.ts";
import type { Watched } from "./watched.ts";

/** Milliseconds are usual. Who waits in vain keeps a processor busy, and fills the kernel's log. */
const answerLimitMs = 2_000;
/** A connection that breaks later is noticed by the kernel itself. */
const answerLastsMs = 10_000;
const firstResetLastsMs = 5_000;
const longestResetLastsMs = 60_000;
/** Whoever reads a block that cannot be read is likely to read it again, and each reset makes all others wait. */
const newlyMadeMs = 600_000;

/**
 * Whether the device of a connection that is back answers. One that broke in the moment when the kernel had made it is `live` for
 * ever and never answers: the kernel ignores the loss while its state is `connecting`, and gives up its keep-alive at the first
 * that cannot be sent. Seen on Linux 6.12 (`failed nvme_keep_alive_end_io error=4`, then `failed to send request -32` for each
 * request); source: drivers/nvme/host/tcp.c, `nvme_tcp_error_recovery`.
 * @returns why not; `undefined` when it does, or when there is no incident or nothing to ask.
 */
export async function ask(
  { state, device }: Connection,
  watched: Watched,
  { clock, reads }: WatchHost,
  ctx: Context,
): Promise<string | undefined> {
  const { answered } = watched;
  if (state !== "live" || device === undefined) watched.answered = undefined;
  if (state !== "live" || device === undefined || !watched.isLost) return undefined;
  const isSame = answered?.majorMinor === device.majorMinor;
  if (isSame && clock.elapsed() - answered.at < answerLastsMs) return undefined;
  using limited = withTimeout(ctx, answerLimitMs);
  const failure = await failureOf(reads.readDirect(device.path, limited), ctx);
  const isSilence = isFailure(failure, "deadline-exceeded");
  // An error that a new connection gives as well is the answer of a disk that cannot read its first block.
  const isAnswer = failure === undefined || (watched.past.resets > 0 && !isSilence);
  watched.answered = isAnswer ? { majorMinor: device.majorMinor, at: clock.elapsed() } : undefined;
  return isAnswer ? undefined : failure.message;
}

/** Of failed paths no question is needed: they try again first, and then the connection is made anew whatever it would answer. */
export function isTold(
  { device }: Connection,
  hold: HeldSight | undefined,
  past: Pick<Past, "reinstated" | "isNewlyMade">,
): boolean {
  const { status } = hold ?? {};
  const isFailing =
    status?.device === device?.majorMinor && status?.paths.every((path) => path === "failed");
  return isFailing === true && (past.reinstated < mostReinstatements || !past.isNewlyMade);
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

/** A target that is only slow shall not be cut off before it can answer: each reset leaves it twice the time. */
export function mayReset({ past, resetAt }: Watched, now: number): boolean {
  const lasts = Math.min(firstResetLastsMs * 2 ** past.resets, longestResetLastsMs);
  return past.resets === 0 || now - resetAt >= lasts;
}

export function isNewlyMade({ resetAt }: Watched, now: number): boolean {
  return now - resetAt < newlyMadeMs;
}
