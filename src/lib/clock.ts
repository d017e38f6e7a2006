import { setTimeout as delay } from "node:timers/promises";

/** Time, so that logic that waits can be tested without waiting. */
export interface Clock {
  /** The date, which somebody may set at any time: no span is measured by it, hence no number. */
  now(): Date;
  /**
   * Whole milliseconds since an arbitrary moment in the past, for spans and deadlines: nobody sets it. It is the same for
   * all processes of one boot, and stands still while the machine is suspended. Source: clock_gettime(2),
   * CLOCK_MONOTONIC, which is what `process.hrtime` reads (libuv, src/unix/linux.c, `uv__hrtime`).
   */
  elapsed(): number;
  /** @throws the signal's reason when it ends the wait. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => new Date(),
  elapsed: () => Number(process.hrtime.bigint() / 1_000_000n),
  sleep: async (milliseconds, signal) => {
    await delay(milliseconds, undefined, { signal }).catch((error: unknown) => {
      throw signal.aborted ? signal.reason : error;
    });
  },
};
