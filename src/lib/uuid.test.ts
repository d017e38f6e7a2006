import assert from "node:assert/strict";
import { test } from "node:test";
import { uuidBytes, uuidV5Bytes } from "./uuid.ts";

test("uuidBytes() reads lower-case UUIDs and nothing else", () => {
  const text = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
  assert.equal(uuidBytes(text)?.toString("hex"), text.replaceAll("-", ""));
  for (const wrong of ["", text.toUpperCase(), `${text} `, text.replaceAll("-", ""), `x${text}`])
    assert.equal(uuidBytes(wrong), undefined, wrong);
});

test("uuidV5Bytes() agrees with the example of RFC 9562", () => {
  const dns = uuidBytes("6ba7b810-9dad-11d1-80b4-00c04fd430c8") ?? Buffer.alloc(0);
  const expected = uuidBytes("2ed6657d-e927-568b-95e1-2665a8aea6a2");
  assert.deepEqual(uuidV5Bytes("www.example.com", dns), expected);
});
