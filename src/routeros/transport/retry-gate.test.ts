import assert from "node:assert/strict";
import test from "node:test";
import { DriverError } from "#domain/errors.ts";
import { ManualClock } from "#test/fakes/manual-clock.ts";
import { RetryGate } from "./retry-gate.ts";

const down = () => Promise.reject(new DriverError("unavailable", "Cannot connect: refused"));

/** A gate without spread, and how often it let an attempt through. */
function gate(random = 0.5) {
  const clock = new ManualClock();
  const retry = new RetryGate(clock, () => random);
  let attempts = 0;
  const attempt = () => {
    attempts += 1;
    return down();
  };
  const fail = () => retry.pass(attempt).catch((error) => error);
  return { clock, retry, fail, attempts: () => attempts };
}

test("RetryGate.pass() repeats the last failure without an attempt until its time has come", async () => {
  const { clock, fail, attempts } = gate();
  await fail();
  clock.advance(499);
  const error = await fail();
  assert.equal(error.kind, "unavailable");
  assert.equal(error.message, "Cannot connect: refused (next attempt within 1 s)");
  assert.equal(attempts(), 1);
  clock.advance(1);
  await fail();
  assert.equal(attempts(), 2);
});

test("RetryGate.pass() waits twice as long after each failure, fifteen seconds at most", async () => {
  const { clock, fail, attempts } = gate();
  for (const wait of [500, 1000, 2000, 4000, 8000, 15_000, 15_000]) {
    await fail();
    const before = attempts();
    clock.advance(wait - 1);
    await fail();
    assert.equal(attempts(), before, `tried again before ${wait} ms`);
    clock.advance(1);
  }
});

test("RetryGate.pass() spreads the attempts of several drivers by a quarter each way", async () => {
  for (const [random, wait] of [
    [0, 375],
    [1, 625],
  ] as const) {
    const { clock, fail, attempts } = gate(random);
    await fail();
    clock.advance(wait - 1);
    await fail();
    assert.equal(attempts(), 1);
    clock.advance(1);
    await fail();
    assert.equal(attempts(), 2);
  }
});

test("RetryGate.pass() starts over after a success", async () => {
  const { clock, retry, fail, attempts } = gate();
  await fail();
  clock.advance(500);
  await fail();
  clock.advance(1000);
  assert.equal(await retry.pass(async () => "up"), "up");
  await fail();
  clock.advance(500);
  await fail();
  assert.equal(attempts(), 4);
});
