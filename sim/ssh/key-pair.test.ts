import assert from "node:assert/strict";
import { test } from "node:test";
import ssh2 from "ssh2";
import { generateKeyPair } from "./key-pair.ts";

test("generateKeyPair() makes no pair that cannot be read", () => {
  // One pair in 256 would be: of 1,500, none with a probability of 3 in 1,000.
  for (let count = 0; count < 1500; count += 1) {
    const pair = generateKeyPair("ed25519", "test");
    assert.ok(!(ssh2.utils.parseKey(pair.private) instanceof Error));
    assert.ok(!(ssh2.utils.parseKey(pair.public) instanceof Error));
  }
});

test("generateKeyPair() makes RSA keys of 2048 bits", () => {
  const key = ssh2.utils.parseKey(generateKeyPair("rsa", "test").public);
  assert.ok(!(key instanceof Error));
  assert.equal(key.type, "ssh-rsa");
  assert.ok(key.getPublicSSH().length > 256);
});
