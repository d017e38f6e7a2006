import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Console } from "#sim/console/console.ts";
import { ToyTree } from "#sim/console/testing/toy-tree.ts";
import { fileSize, formatQuoted, spaced } from "./format-value.ts";

const gibibyte = 2 ** 30;

/** File sizes as RDS2216 and 7.16.1 print them. */
const sizes: readonly (readonly [number, string])[] = [
  [0, "0"],
  [50 * gibibyte, "50.0GiB"],
  [10 * gibibyte, "10.0GiB"],
  [gibibyte, "1024.0MiB"],
  [1024 * gibibyte, "1024.0GiB"],
  [1_970_278, "1924.1KiB"],
  [13_946_061, "13.3MiB"],
];

for (const [bytes, text] of sizes)
  test(`fileSize() shows ${bytes} bytes as ${text}`, () => {
    assert.equal(fileSize(bytes), text);
  });

test("spaced() groups digits by three", () => {
  assert.equal(spaced(1_099_511_627_776), "1 099 511 627 776");
  assert.equal(spaced(512), "512");
  assert.equal(spaced(-4_096), "-4 096");
});

test("formatQuoted() quotes any text so that the console reads it back", async () => {
  const session = new Console(new ToyTree(), { width: 80 });
  const text = fc.string({ unit: "binary" }).filter((value) => !/[\r\n]/.test(value));
  await fc.assert(
    fc.asyncProperty(text, async (value) => {
      const quoted = formatQuoted({ name: "x", kind: "string", brief: true }, value);
      const { output } = await session.execute(`:put ${quoted}`, AbortSignal.timeout(1_000));
      assert.equal(output, `${value}\r\n`);
    }),
  );
});
