import assert from "node:assert/strict";
import test from "node:test";
import { leastPoints } from "./rig/fault-walk.ts";

test("the node plugin is killed at 40 points and more, before and after each effect that it has outside", () => {
  const all = Object.values(leastPoints).reduce((sum, points) => sum + points, 0);
  assert.ok(all >= 40, `${all}`);
});
