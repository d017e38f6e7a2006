import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import fc from "fast-check";
import { flagOf, numberOf, readJson, recordsOf, textOf } from "./json.ts";

const fixtures = new URL("../../test/fixtures/routeros/", import.meta.url);

function captured(name: string): string {
  return readFileSync(new URL(name, fixtures), "utf8");
}

test("readJson() reads what RouterOS prints: lists, single objects, CRLF and padding", () => {
  assert.deepEqual(readJson('[{"a":1}]   \r\n\r\n', 1), [[{ a: 1 }]]);
  assert.deepEqual(readJson('{"name":"CHR"}\r\n', 1), [{ name: "CHR" }]);
  assert.deepEqual(readJson("[]\r\n", 1), [[]]);
});

test("readJson() reads several values in order", () => {
  assert.deepEqual(readJson('[{"slot":"a"}]\r\ncreated\r\n[]\r\n', 2), [[{ slot: "a" }], []]);
});

test("readJson() skips log lines, prompts and an echoed count", () => {
  const stray = "4\r\n11-21 10:00:00 system,info user [csi] logged in\r\n[csi@rds] > x\r\n";
  assert.deepEqual(readJson(`${stray}[{"slot":"a"}]\r\n`, 1), [[{ slot: "a" }]]);
});

test("readJson() takes out line breaks that a terminal width put into values", () => {
  assert.deepEqual(readJson('[{"comment":"rds-\r\ncsi=1","slo\r\nt":"a"}]\r\n', 1), [
    [{ comment: "rds-csi=1", slot: "a" }],
  ]);
});

test("readJson() is not misled by brackets and escaped quotes in strings", () => {
  const rows = [{ comment: 'a]}"[{\\', slot: "b" }];
  assert.deepEqual(readJson(`${JSON.stringify(rows)}\r\n`, 1), [rows]);
});

test("readJson() never takes a cut text for a shorter list", () => {
  const whole = JSON.stringify([{ slot: "a", list: [1, {}] }, { slot: "b" }]);
  fc.assert(
    fc.property(fc.nat({ max: whole.length - 1 }), (length) => {
      assert.throws(() => readJson(whole.slice(0, length), 1), SyntaxError);
    }),
  );
});

test("readJson() gives back any list, wrapped anywhere outside an escape", () => {
  const row = fc.dictionary(
    fc.stringMatching(/^[a-z-]{1,9}$/),
    fc.string({ unit: "grapheme-ascii" }),
  );
  fc.assert(
    fc.property(fc.array(row), fc.integer({ min: 20, max: 90 }), (rows, width) => {
      const wrapped = JSON.stringify(rows).replaceAll(
        new RegExp(`(?:\\\\.|[^\\\\]){${width}}`, "gs"),
        "$&\r\n",
      );
      assert.deepEqual(readJson(wrapped, 1), [JSON.parse(JSON.stringify(rows))]);
    }),
  );
});

test("readJson() names what it expected", () => {
  assert.throws(() => readJson("garbage\r\n", 1), /expected 1 JSON values, found 0/);
  assert.throws(() => readJson("[]\r\n[]\r\n", 1), /expected 1 JSON values, found 2/);
  assert.throws(() => readJson('[{"a":1}', 1), /cut short/);
});

test("recordsOf() accepts a list or one object, and rejects what is neither", () => {
  assert.deepEqual(recordsOf([{ a: 1 }, {}]), [{ a: 1 }, {}]);
  assert.deepEqual(recordsOf({ a: 1 }), [{ a: 1 }]);
  assert.throws(() => recordsOf([{ a: 1 }, "x"]), /expected an object as item 2/);
});

test("numberOf() reads numbers in every form, and nothing else", () => {
  const forms = { a: 1024, b: "1024", c: "1 024", d: "1024.000000", e: 0 };
  assert.deepEqual(
    Object.keys(forms).map((key) => numberOf(forms, key)),
    [1024, 1024, 1024, 1024, 0],
  );
  for (const value of ["50.0GiB", "", "none", null, undefined, true, []])
    assert.equal(numberOf({ value }, "value"), undefined);
});

test("flagOf() and textOf() accept every form and missing keys", () => {
  for (const value of [true, "true", "yes"]) assert.equal(flagOf({ value }, "value"), true);
  for (const value of [false, "false", "no", "", null, undefined])
    assert.equal(flagOf({ value }, "value"), false);
  assert.equal(textOf({ value: 7.5 }, "value"), "7.5");
  assert.equal(textOf({ value: null }, "value"), "");
  assert.equal(textOf({}, "value"), "");
});

test("readJson() reads captured replies", () => {
  const [files] = readJson(captured("file-print-7.23.json.txt"), 1);
  assert.equal(textOf(recordsOf(files)[0] ?? {}, "type"), ".js file");
  const [disk] = readJson(captured("disk-rest-record.json.txt"), 1);
  const [record = {}] = recordsOf(disk);
  assert.equal(numberOf(record, "size"), 17_179_852_800);
  assert.equal(flagOf(record, "mount-filesystem"), true);
  const [resource] = readJson(captured("system-resource-7.23.json.txt"), 1);
  assert.equal(textOf(recordsOf(resource)[0] ?? {}, "version"), "7.23.2 (stable)");
});
