import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fromBytes, toBytes } from "./bytes.ts";

test("toBytes() gives back any bytes that fromBytes() read", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      assert.deepEqual(toBytes(fromBytes(Buffer.from(bytes))), Buffer.from(bytes));
    }),
  );
});

test("fromBytes() reads UTF-8 as text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      assert.equal(fromBytes(Buffer.from(text, "utf8")), text);
    }),
  );
});

test("fromBytes() keeps a lone byte apart from the text around it", () => {
  assert.equal(fromBytes(Buffer.from([0x61, 0xff, 0xc3, 0xa9])), "a\udcffé");
});

test("fromBytes() keeps a replacement character that was really there", () => {
  assert.equal(fromBytes(Buffer.from("a\ufffdb", "utf8")), "a\ufffdb");
});
