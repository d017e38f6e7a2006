import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";

/** Long enough for an emulated machine on a busy host; what is waited for takes seconds at most. */
export const limitMs = 180_000;

/**
 * Asks until the answer is neither `undefined` nor `false`.
 * @throws {AssertionError} naming what did not happen in three minutes, unless another limit is given.
 */
export async function waitFor<T>(
  what: string,
  probe: () => T | undefined | Promise<T | undefined>,
  limit = limitMs,
): Promise<T> {
  const endsAt = Date.now() + limit;
  for (;;) {
    const answer = await probe();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > endsAt) assert.fail(`In ${limit / 1000} s did not happen: ${what}`);
    await delay(100);
  }
}
