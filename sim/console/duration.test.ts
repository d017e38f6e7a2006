import assert from "node:assert/strict";
import { test } from "node:test";
import { clockText, parseDuration, unitText } from "./duration.ts";
import { Duration } from "./value.ts";

/** Literals and what `:put` made of them on RouterOS 7.23.3. */
const observed: readonly (readonly [string, string])[] = [
  ["1s1m", "00:01:01"],
  ["1m1m", "00:02:00"],
  ["1h1h1h", "03:00:00"],
  ["1d2d", "3d00:00:00"],
  ["1d1w", "1w1d00:00:00"],
  ["2s3m4h", "04:03:02"],
  ["1ms1s", "00:00:01.001"],
  ["9:00", "09:00:00"],
  ["00:00:02.001", "00:00:02.001"],
  ["1w1d00:00:00", "1w1d00:00:00"],
  ["00:60:00", "01:00:00"],
  ["200ms", "00:00:00.200"],
  ["1w7h2s", "1w07:00:02"],
  ["10000w", "10000w00:00:00"],
  ["1000000ms", "00:16:40"],
  ["9223372036s", "15250w1d23:47:16"],
];

for (const [literal, shown] of observed)
  test(`parseDuration() reads ${literal} as ${shown}`, () => {
    const duration = parseDuration(literal);
    assert(duration !== undefined);
    assert.equal(clockText(duration), shown);
  });

for (const text of ["", "5", "3w4q", "100000w", "9223372037s", "00:11:22:33:44:55", "1.1"])
  test(`parseDuration() does not take "${text}" for a time`, () => {
    assert.equal(parseDuration(text), undefined);
  });

test("unitText() shows only the units that count", () => {
  assert.equal(unitText(new Duration(48_149)), "48s149ms");
  assert.equal(unitText(new Duration(0)), "0ms");
  assert.equal(unitText(new Duration(24_164_000)), "6h42m44s");
});
