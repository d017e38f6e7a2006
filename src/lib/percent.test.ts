import assert from "node:assert/strict";
import { test } from "node:test";
import { formatPercent } from "./percent.ts";

test("formatPercent() writes shares as people do, without what binary fractions add", () => {
  const shares = [0, 0.02, 0.07 * 2, 0.053, 0.123, 0.9, 1];
  const texts = ["0%", "2%", "14%", "5.3%", "12.3%", "90%", "100%"];
  assert.deepEqual(shares.map(formatPercent), texts);
});
