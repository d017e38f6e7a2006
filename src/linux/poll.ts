import type { Clock } from "#lib/clock.ts";
import type { Context } from "#lib/context.ts";

export interface PollLimits {
  readonly clock: Clock;
  readonly everyMs: number;
  readonly limitMs: number;
}

/**
 * Asks `probe` until it answers; it is asked once more when time is up.
 * @returns its answer, or `undefined` when the limit has passed or `ctx.signal` ends the wait.
 */
export async function poll<T>(
  probe: () => T | undefined,
  { clock, everyMs, limitMs }: PollLimits,
  ctx: Context,
): Promise<T | undefined> {
  const endsAt = clock.elapsed() + limitMs;
  for (;;) {
    const answer = probe();
    if (answer !== undefined || ctx.signal.aborted || clock.elapsed() >= endsAt) return answer;
    // An aborted sleep is no failure here: the loop looks once more and says what it saw.
    await clock.sleep(everyMs, ctx.signal).catch(() => {});
  }
}
