import type { Context } from "#lib/context.ts";
import { timeLimit } from "#lib/time-limit.ts";

type Step = (ctx: Context) => Promise<void>;

/** Long enough for a clean unmount and disconnect, short enough for kubelet's next try. */
const limitMilliseconds = 20_000;

/**
 * What a failing call takes back: its own steps only, the last one first. Held by `await using`. It has its
 * own time limit, because most calls that fail have used up theirs.
 */
export class Undo implements AsyncDisposable {
  readonly #steps: Step[] = [];
  readonly #ctx: Context;
  constructor(ctx: Context) {
    this.#ctx = ctx;
  }

  add(step: Step): void {
    this.#steps.push(step);
  }

  /** The call has succeeded: everything stays. */
  keep(): void {
    this.#steps.length = 0;
  }

  /** Never throws: the failure that led here is the one to report. */
  async [Symbol.asyncDispose](): Promise<void> {
    using limit = timeLimit(limitMilliseconds);
    const ctx = { ...this.#ctx, signal: limit.signal };
    for (const step of this.#steps.toReversed()) {
      try {
        await step(ctx);
      } catch (error) {
        ctx.log.warn({ err: error }, "A step could not be undone; the next call goes on from here");
      }
    }
  }
}
