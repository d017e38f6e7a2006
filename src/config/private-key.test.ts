import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { inspect } from "node:util";
import { readPrivateKey } from "./private-key.ts";

const pem = "-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2\n-----END OPENSSH PRIVATE KEY-----\n";

test("readPrivateKey() reads a key that does not print itself, and minds who else may read it", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "rds-csi-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "id_ed25519");
  writeFileSync(file, pem);
  for (const [mode, warnings] of [
    [0o600, []],
    [0o440, []],
    [0o644, [`Private key "${file}" may be read by everybody on this machine, mode 0644`]],
  ] as const) {
    chmodSync(file, mode);
    const found = await readPrivateKey(file, "appliances.rds1.privateKeyFile");
    assert.equal(found.key.reveal(), pem);
    assert.doesNotMatch(inspect(found) + JSON.stringify(found), /hunter2/);
    assert.deepEqual(found.warnings, warnings);
  }
});

test("readPrivateKey() says which setting names a file without a key", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "rds-csi-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "id_ed25519.pub");
  writeFileSync(file, "ssh-ed25519 AAAA");
  await assert.rejects(readPrivateKey(file, "appliances.rds1.privateKeyFile"), {
    message: `Cannot use the configuration:\n  appliances.rds1.privateKeyFile: "${file}" holds no private key in PEM or OpenSSH form`,
  });
  await assert.rejects(readPrivateKey(join(folder, "x"), "k"), /cannot be read \(no such file\)$/);
});
