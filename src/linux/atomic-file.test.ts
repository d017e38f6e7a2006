import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { temporaryFolder } from "#test/rig/temporary-folder.ts";
import { removeDurably, writeAtomically } from "./atomic-file.ts";

test("writeAtomically() writes a private file in a folder it makes", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "a/b/file");
  await writeAtomically(path, "first");
  await writeAtomically(path, "second");
  assert.equal(readFileSync(path, "utf8"), "second");
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(statSync(join(folder.path, "a")).mode & 0o777, 0o700);
  assert.deepEqual(readdirSync(join(folder.path, "a/b")), ["file"]);
});

test("writeAtomically() replaces the file: a reader of the old one keeps it whole", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "file");
  await writeAtomically(path, "first");
  const before = statSync(path).ino;
  await writeAtomically(path, "second");
  assert.notEqual(statSync(path).ino, before);
});

test("writeAtomically() leaves the old content and no litter when it fails", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "taken");
  mkdirSync(path);
  writeFileSync(join(path, "inner"), "");
  await assert.rejects(writeAtomically(path, "text"), { code: /^(EISDIR|ENOTEMPTY)$/ });
  assert.deepEqual(readdirSync(folder.path), ["taken"]);
});

test("removeDurably() removes a file, or nothing", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "file");
  writeFileSync(path, "");
  chmodSync(path, 0o400);
  await removeDurably(path);
  await removeDurably(path);
  await removeDurably(join(folder.path, "missing/file"));
  assert.deepEqual(readdirSync(folder.path), []);
});

test("removeDurably() removes what killed writers of the file left, and nothing of another", async () => {
  using folder = temporaryFolder();
  for (const name of ["a.json", ".a.json.0badcafe.tmp", ".b.json.0badcafe.tmp", "b.json"])
    writeFileSync(join(folder.path, name), "");
  await removeDurably(join(folder.path, "a.json"));
  assert.deepEqual(readdirSync(folder.path), [".b.json.0badcafe.tmp", "b.json"]);
});
