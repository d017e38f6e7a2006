import assert from "node:assert/strict";
import { test } from "node:test";
import { Switches } from "#sim/appliance/switches.ts";
import { Pace } from "./pace.ts";

test("delay() is the latency and up to the jitter more", () => {
  const pace = new Pace(new Switches({ latency: 200, "latency-jitter": 50 }));
  for (let line = 0; line < 100; line += 1) {
    const delay = pace.delay(line);
    assert.ok(delay >= 200 && delay < 250);
  }
});

test("delay() throttles once the burst is used up, and forgives after a pause", () => {
  const pace = new Pace(new Switches({ "throttle-burst": 3, "throttle-delay": 20 }));
  const burst = [0, 0, 0, 0, 0].map(() => pace.delay(1000));
  assert.deepEqual(burst, [0, 0, 0, 20, 40]);
  assert.equal(pace.delay(1000 + 3 * 20), 0);
  assert.equal(pace.delay(1000 + 3 * 20), 20);
  assert.equal(pace.delay(1_000_000), 0);
});
