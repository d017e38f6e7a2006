import type { Log } from "./log.ts";
import { timeLimit } from "./time-limit.ts";

/** What every asynchronous function gets as its last parameter. */
export interface Context {
  /** Aborted when the caller has gone, its deadline has passed, or the process shuts down. */
  readonly signal: AbortSignal;
  readonly log: Log;
}

/** The same context, ending at the latest after `milliseconds`; to be disposed when the work has ended. */
export function withTimeout(ctx: Context, milliseconds: number): Context & Disposable {
  const limit = timeLimit(milliseconds, ctx.signal);
  return { ...ctx, signal: limit.signal, [Symbol.dispose]: () => limit[Symbol.dispose]() };
}
