import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseStatus } from "./multipath-status.ts";

/** As printed by dmsetup 1.02.185 on Linux 6.12: fresh, failed, reinstated. */
const captured = [
  [
    "0 524288 multipath 2 1 0 0 2 1 E 0 1 2 259:1 A 0 0 1 E 0 1 2 259:1 A 0 0 1 \n",
    ["active", "active"],
  ],
  [
    "0 524288 multipath 2 1 0 0 2 1 E 0 1 2 259:1 F 1 0 1 E 0 1 2 259:1 F 1 0 1 \n",
    ["failed", "failed"],
  ],
  [
    "0 524288 multipath 2 0 0 0 2 2 E 0 1 2 259:1 F 1 0 1 A 0 1 2 259:1 A 1 0 1 \n",
    ["failed", "active"],
  ],
] as const;

test("parseStatus() reads what the kernel prints", () => {
  for (const [text, states] of captured) assert.deepEqual(parseStatus(text), states);
});

test("parseStatus() names the word that is not as expected", () => {
  const wrong = [
    ["", "word 1, start, is missing"],
    ["0 8 linear 259:1 0", 'word 3, target, is "linear"'],
    ["0 8 multipath 0 0 1 1 X", 'word 8, group state, is "X"'],
    ["0 8 multipath 0 0 1 1 A 0 1 0 259:1 B 0", 'word 13, path state, is "B"'],
    ["0 8 multipath 0 0 1 1 A 0 1 2 259:1 A 0 0", "word 16, path value, is missing"],
    ["0 8 multipath 0 0 0 0 A", 'word 8, "A", is one too many'],
  ] as const;
  for (const [text, place] of wrong)
    assert.throws(() => parseStatus(text), {
      name: "SyntaxError",
      message: `Cannot read multipath status: ${place}`,
    });
});

test("parseStatus() reads any text or names a place in it", () => {
  const word = fc.oneof(
    fc.constantFrom("multipath", "0", "1", "2", "259:1", "A", "F"),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(word), (words) => {
      try {
        parseStatus(words.join(" "));
      } catch (error) {
        assert.match(String(error), /^SyntaxError: Cannot read multipath status: word \d+, /);
      }
    }),
  );
});
