import assert from "node:assert/strict";
import test from "node:test";
import { parseUptime, parseVersion } from "./version.ts";

const versions = [
  ["7.24.4 (stable)", { major: 7, minor: 24 }],
  ["7.21rc2 (testing)", { major: 7, minor: 21 }],
  ["7.22beta4", { major: 7, minor: 22 }],
  ["6.49.11 (long-term)", { major: 6, minor: 49 }],
  ["", undefined],
  ["stable", undefined],
] as const;

for (const [text, version] of versions)
  test(`parseVersion() reads "${text}"`, () => {
    assert.deepEqual(parseVersion(text), version);
  });

const times = [
  ["06:42:44", 24_164],
  ["1d02:03:04", 93_784],
  ["3w1d02:03:04", 1_908_184],
  ["2d5h3m", 190_980],
  ["48s", 48],
  ["", undefined],
  ["soon", undefined],
] as const;

for (const [text, seconds] of times)
  test(`parseUptime() reads "${text}"`, () => {
    assert.equal(parseUptime(text), seconds);
  });
