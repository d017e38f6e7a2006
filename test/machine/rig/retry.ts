import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { limitMs } from "./wait-for.ts";

/**
 * Tries again as kubelet does, sooner.
 * @throws {AssertionError} with the last reason, after three minutes, unless another limit is given.
 */
export async function retry<T>(
  what: string,
  attempt: () => Promise<T>,
  limit = limitMs,
): Promise<T> {
  const endsAt = Date.now() + limit;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (Date.now() > endsAt)
        assert.fail(`In ${limit / 1000} s did not succeed: ${what}: ${reason}`);
    }
    await delay(500);
  }
}
