import type { Log } from "./log.ts";

/** What every asynchronous function gets as its last parameter. */
export interface Context {
  /** Aborted when the caller has gone, its deadline has passed, or the process shuts down. */
  readonly signal: AbortSignal;
  readonly log: Log;
}

/** The same context, ending at the latest after `milliseconds`. */
export function withTimeout(ctx: Context, milliseconds: number): Context {
  return { ...ctx, signal: AbortSignal.any([ctx.signal, AbortSignal.timeout(milliseconds)]) };
}
