import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "./clock.ts";

test("systemClock.sleep() waits as long as it is told", async () => {
  const before = performance.now();
  await systemClock.sleep(20, new AbortController().signal);
  assert.ok(performance.now() - before >= 19);
});

test("systemClock.sleep() throws the signal's reason when that ends the wait", async () => {
  const reason = new Error("shutting down");
  const aborter = new AbortController();
  const sleeping = systemClock.sleep(60_000, aborter.signal);
  aborter.abort(reason);
  await assert.rejects(sleeping, (error) => error === reason);
  await assert.rejects(systemClock.sleep(0, aborter.signal), (error) => error === reason);
});
