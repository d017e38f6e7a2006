import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";

const project = join(import.meta.dirname, "..");

/** What nobody may commit. Tests have keys as well, too short to be any. */
const secrets: Readonly<Record<string, RegExp>> = {
  "a private key": /-----BEGIN [A-Z ]*PRIVATE KEY-----(\s|\\n|["'+,])*[A-Za-z0-9+/=]{40}/,
  "a private key in base64": /LS0tLS1CRUdJTi[A-Za-z0-9+/=\s]{60}/,
  "a token of GitHub": /\bgh[pousr]_[A-Za-z0-9]{36}/,
  "a key of AWS": /\bAKIA[A-Z0-9]{16}\b/,
  "a token of a service account": /\beyJhbGciOi[\w-]{20,}\.[\w-]{20,}\.[\w-]{20,}/,
};

function foundIn(text: string): string[] {
  return Object.keys(secrets).filter((what) => secrets[what]?.test(text));
}

test("no file of the project holds a secret (pitfall 41)", () => {
  const paths = globSync(["**/*", "**/.*", "**/.*/**/*"], {
    cwd: project,
    exclude: ["node_modules/**", "dist/**", ".git/**"],
  });
  const files = paths.filter((path) => statSync(join(project, path)).isFile());
  assert.ok(
    ["package.json", ".ci/run", "deploy/processes.json"].every((path) => files.includes(path)),
  );
  const found = files.flatMap((path) =>
    foundIn(readFileSync(join(project, path), "latin1")).map((what) => `${path} holds ${what}`),
  );
  assert.deepEqual(found, []);
});

test("the search for secrets knows keys when it sees them, also inside of a manifest", () => {
  const { privateKey } = generateKeyPairSync("ed25519");
  const pem = String(privateKey.export({ type: "pkcs8", format: "pem" }));
  const openssh = pem.replaceAll("PRIVATE", "OPENSSH PRIVATE");
  for (const text of [
    pem,
    openssh,
    JSON.stringify({ key: pem }),
    `key: |\n${pem.replace(/^/gm, "    ")}`,
  ])
    assert.deepEqual(foundIn(text), ["a private key"]);
  const encoded = Buffer.from(pem).toString("base64");
  assert.deepEqual(foundIn(`data:\n  key: ${encoded}`), ["a private key in base64"]);
});
