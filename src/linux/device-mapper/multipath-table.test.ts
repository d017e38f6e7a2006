import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatTable, parseTable } from "./multipath-table.ts";

/** As printed by dmsetup 1.02.185 on Linux 6.12. */
const captured = [
  [
    "0 524288 multipath 4 queue_if_no_path retain_attached_hw_handler queue_mode bio 0 2 1 service-time 0 1 2 259:1 1 1 service-time 0 1 2 259:1 1 1 \n",
    { sectors: 524_288, devices: ["259:1", "259:1"], queueing: true },
  ],
  [
    "0 524288 multipath 3 retain_attached_hw_handler queue_mode bio 0 2 1 service-time 0 1 2 259:1 1 1 service-time 0 1 2 259:1 1 1 \n",
    { sectors: 524_288, devices: ["259:1", "259:1"], queueing: false },
  ],
  ["0 8 multipath 0 0 0 0 \n", { sectors: 8, devices: [], queueing: false }],
] as const;

test("parseTable() reads what the kernel prints", () => {
  for (const [text, table] of captured) assert.deepEqual(parseTable(text), table);
});

test("parseTable() reads what formatTable() writes", () => {
  const majorMinor = fc.tuple(fc.nat(4095), fc.nat(1_048_575)).map((pair) => pair.join(":"));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 40 }), majorMinor, (sectors, device) => {
      const table = { sectors, devices: [device, device], queueing: true };
      assert.deepEqual(parseTable(formatTable(sectors, device)), table);
    }),
  );
});

test("parseTable() names the word that is not as expected", () => {
  const wrong = [
    ["", "word 1, start, is missing"],
    ["0 8 error", 'word 3, target, is "error"'],
    ["0 x multipath 0 0 0 0", 'word 2, length, is "x"'],
    ["0 8 multipath 2 queue_if_no_path", "word 6, features, is missing"],
    ["0 8 multipath 0 0 1 1 service-time 0 1 0 nvme0n1", 'word 12, device, is "nvme0n1"'],
    ["0 8 multipath 0 0 999999999999999 1", "word 8, path selector, is missing"],
    ["0 8 multipath 999999999999999 a", "word 6, features, is missing"],
    ["0 8 multipath 0 0 0 0 0", 'word 8, "0", is one too many'],
  ] as const;
  for (const [text, place] of wrong)
    assert.throws(() => parseTable(text), {
      name: "SyntaxError",
      message: `Cannot read multipath table: ${place}`,
    });
});

test("parseTable() reads any text or names a place in it", () => {
  const word = fc.oneof(fc.constantFrom("multipath", "0", "1", "2", "259:1", "a"), fc.string());
  fc.assert(
    fc.property(fc.array(word), (words) => {
      try {
        parseTable(words.join(" "));
      } catch (error) {
        assert.match(String(error), /^SyntaxError: Cannot read multipath table: word \d+, /);
      }
    }),
  );
});
