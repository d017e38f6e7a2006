import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fromJson } from "./from-json.ts";
import { toJson } from "./to-json.ts";
import { Duration, Id, type Value } from "./value.ts";
import { sortedMap } from "./value-text.ts";

/** Captured on CHR 7.23.2, but for the first pair, which the manual gives. */
const captured: readonly (readonly [Readonly<Record<string, Value>>, string])[] = [
  [{ number: 1234, string: "1234" }, '{"number":1234,"string":1234.000000}'],
  [
    {
      "architecture-name": "x86_64",
      "cpu-count": 16,
      "cpu-load": 0,
      "factory-software": "7.1",
      uptime: new Duration(24_164_000),
      version: "7.23.2 (stable)",
    },
    '{"architecture-name":"x86_64","cpu-count":16,"cpu-load":0,"factory-software":7.100000,"uptime":"06:42:44","version":"7.23.2 (stable)"}',
  ],
  [
    {
      ".id": new Id("*1"),
      authority: true,
      issued: false,
      "key-size": "2048",
      "key-usage": ["key-cert-sign", "crl-sign"],
      name: "ca-tik4net",
      "subject-alt-name": [],
    },
    '{".id":"*1","authority":true,"issued":false,"key-size":2048.000000,"key-usage":["key-cert-sign","crl-sign"],"name":"ca-tik4net","subject-alt-name":[]}',
  ],
];

for (const [values, json] of captured)
  test(`toJson() writes ${json.slice(0, 30)}… as the appliance does`, () => {
    assert.equal(toJson(sortedMap(Object.entries(values)), { convertStrings: true }), json);
  });

test("toJson() keeps numeric strings when told not to convert", () => {
  const value = sortedMap([
    ["number", 1234],
    ["string", "1234"],
  ]);
  assert.equal(toJson(value, { convertStrings: false }), '{"number":1234,"string":"1234"}');
});

test("fromJson() reads back what toJson() wrote of strings, booleans, integers and lists", () => {
  const { value } = fc.letrec<{ value: Value }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.string(),
      fc.boolean(),
      fc.integer(),
      fc.array(tie("value")),
    ),
  }));
  fc.assert(
    fc.property(value, (original) => {
      assert.deepEqual(fromJson(toJson(original, { convertStrings: false })), original);
    }),
  );
});

test("fromJson() refuses what is no JSON", () => {
  assert.throws(() => fromJson("{a}"), { name: "ConsoleError", stage: "run-time" });
});
