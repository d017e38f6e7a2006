import assert from "node:assert/strict";
import { test } from "node:test";
import { Id } from "#sim/console/value.ts";
import { booleanOf, bytesOf, numberOf, textOf } from "./argument-values.ts";

test("bytesOf() reads binary suffixes and plain bytes", () => {
  for (const [text, bytes] of [
    ["1073741824", 2 ** 30],
    ["512M", 512 * 2 ** 20],
    ["50G", 50 * 2 ** 30],
    ["1T", 2 ** 40],
    ["3GiB", 3 * 2 ** 30],
    ["0", 0],
  ] as const)
    assert.equal(bytesOf("file-size", text), bytes);
  assert.equal(bytesOf("file-size", 4096), 4096);
});

test("bytesOf() refuses fractions, signs, other units and what a double cannot hold", () => {
  for (const value of ["1.5G", "-1", "", "1X", "G", "9007199254740993P", 1.5, -1, true])
    assert.throws(() => bytesOf("file-size", value), {
      message: "invalid value for argument file-size",
      stage: "run-time",
    });
});

test("booleanOf() takes both spellings", () => {
  assert.deepEqual(
    ["yes", "true", true].map((value) => booleanOf("swap", value)),
    [true, true, true],
  );
  assert.deepEqual(
    ["no", "false", false].map((value) => booleanOf("swap", value)),
    [false, false, false],
  );
  assert.throws(() => booleanOf("swap", "1"), /invalid value for argument swap/);
});

test("numberOf() and textOf() read values of every origin", () => {
  assert.equal(numberOf("port", "4420", [1, 65_535]), 4420);
  assert.throws(() => numberOf("port", "0", [1, 65_535]), /invalid value for argument port/);
  assert.equal(textOf("slot", new Id("*2B")), "*2B");
  assert.equal(textOf("slot", true), "yes");
  assert.throws(() => textOf("slot", ["a"]), /invalid value for argument slot/);
});
