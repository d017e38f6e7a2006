import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatBareTable, parseBareTable } from "./bare-table.ts";

test("parseBareTable() reads what the kernel prints, and leaves tables of other kinds to others", () => {
  // As printed by dmsetup 1.02.185 on Linux 6.12.
  const captured = "0 131072 linear 259:1 0\n131072 8 error \n";
  assert.deepEqual(parseBareTable(captured), { sectors: 131_072, device: "259:1" });
  for (const other of ["0 8 multipath 0 0 0 0 \n", "0 8 error \n", ""])
    assert.equal(parseBareTable(other), undefined);
});

test("parseBareTable() reads what formatBareTable() writes", () => {
  const majorMinor = fc.tuple(fc.nat(4095), fc.nat(1_048_575)).map((pair) => pair.join(":"));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 40 }), majorMinor, (sectors, device) => {
      const table = { sectors, device };
      assert.deepEqual(parseBareTable(formatBareTable(table)), table);
    }),
  );
});

test("parseBareTable() names the word that is not as expected", () => {
  const wrong = [
    ["0 8 linear 259:1 16\n8 8 error\n", 'word 5, offset, is "16"'],
    ["0 8 linear 259:1 0\n", "word 6, start of the tail, is missing"],
    ["0 8 linear 259:1 0\n16 8 error\n", 'word 6, start of the tail, is "16"'],
    ["0 8 linear 259:1 0\n8 8 linear 259:2 0\n", 'word 8, target of the tail, is "linear"'],
  ] as const;
  for (const [text, place] of wrong)
    assert.throws(() => parseBareTable(text), {
      name: "SyntaxError",
      message: `Cannot read table of a bare hold: ${place}`,
    });
});
