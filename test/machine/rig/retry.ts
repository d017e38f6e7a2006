import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";

/** Tries again as kubelet does, sooner. @throws {AssertionError} with the last reason, after twenty attempts. */
export async function retry(what: string, attempt: () => Promise<unknown>): Promise<void> {
  let reason = "";
  for (let count = 0; count < 20; count++) {
    try {
      await attempt();
      return;
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
    }
    await delay(500);
  }
  assert.fail(`In 20 attempts did not succeed: ${what}: ${reason}`);
}
