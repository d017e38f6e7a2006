import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { Console } from "#sim/console/console.ts";
import { ToyTree } from "#sim/console/testing/toy-tree.ts";
import { command, quote } from "./command.ts";

const hostile = [
  ['a"b', '"a\\22b"'],
  ["a\\b", '"a\\5Cb"'],
  ["$slot", '"\\24slot"'],
  ["[/disk/remove 0]", '"\\5B/disk/remove 0\\5D"'],
  ["a; /system/reset", '"a\\3B /system/reset"'],
  ["{x}(y)", '"\\7Bx\\7D\\28y\\29"'],
  ["a?", '"a\\3F"'],
  ["line\r\nbreak\ttab\0", '"line\\0D\\0Abreak\\09tab\\00"'],
  ["Größe", '"Gr\\C3\\B6\\C3\\9Fe"'],
  ["rds-csi=1 nodes=a,b pvc=x/y", '"rds-csi=1 nodes=a,b pvc=x/y"'],
  ["", '""'],
] as const;

for (const [value, quoted] of hostile)
  test(`quote() keeps ${JSON.stringify(value)} data`, () => {
    assert.equal(quote(value), quoted);
  });

test("command`` quotes text, prints numbers and flags, and inserts commands", () => {
  const where = command`slot=${'x"'}`;
  const { text } = command`/disk/set [find ${where}] file-size=${2 ** 40} nvme-tcp-export=${false}`;
  assert.equal(text, '/disk/set [find slot="x\\22"] file-size=1099511627776 nvme-tcp-export=no');
});

test("command`` leaves escapes of the literal text as they are written", () => {
  assert.equal(command`:put "\$x"`.text, ':put "\\$x"');
});

test("command`` rejects a number that would not be printed exactly", () => {
  for (const value of [2 ** 53, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
    assert.throws(() => command`file-size=${value}`, RangeError);
});

test("quote() uses nothing that a console could read as syntax", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), (value) => {
      assert.match(quote(value), /^"(?:[\w ./:=,@+-]|\\[0-9A-F]{2})*"$/);
    }),
  );
});

/** Evaluates by the simulator's own lexer, which knows nothing of this quoting. */
async function evaluated(value: string): Promise<string> {
  const { text } = command`:put ("<" . ${value} . ">")`;
  const { output } = await new Console(new ToyTree(), { width: 80 }).execute(
    text,
    new AbortController().signal,
  );
  return output;
}

test("quote() evaluates to the value again", async () => {
  const printable = fc.string({ unit: "grapheme-ascii", maxLength: 60 });
  const syntax = fc.string({
    unit: fc.constantFrom(..."\"\\$[](){};?=~'#!&|<>,* \t"),
    maxLength: 20,
  });
  await fc.assert(
    fc.asyncProperty(fc.oneof(printable, syntax), async (value) => {
      const output = await evaluated(value);
      assert.equal(output.slice(1, output.lastIndexOf(">")), value);
    }),
  );
});

test("quote() cannot be left: a quoted command is stored, not run", async () => {
  const tree = new ToyTree({ disks: [{ type: "file", slot: "kept", comment: "" }] });
  const console = new Console(tree, { width: 80 });
  const attacks = [
    '"; /disk/remove kept; "',
    "[/disk/remove kept]",
    "$[/disk/remove kept]",
    '\\"; /disk/remove kept',
  ];
  for (const attack of attacks) {
    const { text } = command`/disk/set [find slot="kept"] comment=${attack}`;
    const { failed } = await console.execute(text, new AbortController().signal);
    assert.equal(failed, false);
    assert.equal(tree.disks.rows()[0]?.values.get("comment"), attack);
  }
});
