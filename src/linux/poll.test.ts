import assert from "node:assert/strict";
import test from "node:test";
import { testContext } from "#test/fakes/context.ts";
import { ManualClock } from "#test/fakes/manual-clock.ts";
import { poll } from "./poll.ts";

/** A probe that answers at its `count`-th call. */
function after(count: number) {
  const calls = { made: 0 };
  return { calls, probe: () => (++calls.made >= count ? "answer" : undefined) };
}

test("poll() asks until there is an answer", async () => {
  const clock = new ManualClock();
  const { probe, calls } = after(3);
  const limits = { clock, everyMs: 100, limitMs: 1_000 };
  assert.equal(await poll(probe, limits, testContext()), "answer");
  assert.deepEqual([calls.made, clock.slept], [3, 200]);
});

test("poll() asks once more when time is up, then gives up", async () => {
  const clock = new ManualClock();
  const { probe, calls } = after(100);
  const limits = { clock, everyMs: 100, limitMs: 250 };
  assert.equal(await poll(probe, limits, testContext()), undefined);
  assert.deepEqual([calls.made, clock.slept], [4, 300]);
});

test("poll() looks once for a caller that has gone, and does not reject", async () => {
  const { probe, calls } = after(2);
  const limits = { clock: new ManualClock(), everyMs: 100, limitMs: 1_000 };
  const gone = testContext({ signal: AbortSignal.abort() });
  assert.equal(await poll(probe, limits, gone), undefined);
  assert.equal(calls.made, 1);
});
