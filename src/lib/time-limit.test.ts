import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { timeLimit } from "./time-limit.ts";

test("timeLimit() ends its signal with a TimeoutError when the time is up", async () => {
  // The limit's own timer lets the process end, and the test with it.
  const alive = setTimeout(() => {}, 5_000);
  using limit = timeLimit(5);
  assert.equal(limit.passed, false);
  await new Promise((resolve) => limit.signal.addEventListener("abort", resolve));
  clearTimeout(alive);
  assert.equal(limit.signal.reason.name, "TimeoutError");
  assert.equal(limit.passed, true);
});

test("timeLimit() ends with the first of its parents, for that one's reason", () => {
  const [early, later] = [new AbortController(), new AbortController()];
  using limit = timeLimit(60_000, later.signal, early.signal);
  early.abort("gone");
  later.abort("too late");
  assert.equal(limit.signal.reason, "gone");
  assert.equal(limit.passed, false);
});

test("timeLimit() has ended already when a parent has", () => {
  using limit = timeLimit(60_000, AbortSignal.abort("gone"));
  assert.equal(limit.signal.reason, "gone");
});

test("timeLimit() leaves nothing behind once it is disposed", async () => {
  const parent = new AbortController();
  const limit = timeLimit(1, parent.signal);
  assert.equal(getEventListeners(parent.signal, "abort").length, 1);
  limit[Symbol.dispose]();
  assert.equal(getEventListeners(parent.signal, "abort").length, 0);
  parent.abort();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(limit.signal.aborted, false);
});
