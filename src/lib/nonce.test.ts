import assert from "node:assert/strict";
import { test } from "node:test";
import { randomNonce } from "./nonce.ts";

test("randomNonce() makes eight characters that differ each time", () => {
  const nonces = Array.from({ length: 1_000 }, randomNonce);
  for (const nonce of nonces) assert.match(nonce, /^[a-z0-9]{8}$/);
  assert.equal(new Set(nonces).size, 1_000);
});
