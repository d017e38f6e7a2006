import assert from "node:assert/strict";
import { test } from "node:test";
import { base32 } from "./base32.ts";

test("base32() agrees with the vectors of RFC 4648, in lower case and without padding", () => {
  const vectors = { "": "", f: "my", fo: "mzxq", foo: "mzxw6", foob: "mzxw6yq", fooba: "mzxw6ytb" };
  for (const [text, encoded] of Object.entries(vectors))
    assert.equal(base32(Buffer.from(text)), encoded);
});

test("base32() makes 26 characters of 16 bytes", () => {
  assert.equal(base32(Buffer.alloc(16, 0xff)), `${"7".repeat(25)}4`);
});
