import assert from "node:assert/strict";
import { test } from "node:test";
import { posixRegex } from "./posix-regex.ts";

const cases: readonly (readonly [string, string, boolean])[] = [
  ["raid10", "my-raid10-disk", true],
  ["^pvc-", "pvc-1", true],
  ["^pvc-$", "pvc-1", false],
  ["a\\.b", "axb", false],
  ["a\\.b", "a.b", true],
  ["^[[:digit:]]+$", "123", true],
  ["^[[:alpha:][:digit:]-]+$", "a1-b", true],
  ["^[]x]+$", "x]", true],
  ["^[^]x]+$", "x]", false],
  ["^[\\n]+$", "\\n", true],
  ["^(a|b){2}$", "ab", true],
  ["\\d", "d", true],
  ["\\d", "1", false],
  ["é+", "caféé", true],
];

for (const [source, text, matches] of cases)
  test(`posixRegex("${source}") ${matches ? "matches" : "does not match"} "${text}"`, () => {
    assert.equal(posixRegex(source).test(text), matches);
  });

test("posixRegex() reports a malformed expression as a run-time error", () => {
  assert.throws(() => posixRegex("(a"), { name: "ConsoleError", stage: "run-time" });
});
