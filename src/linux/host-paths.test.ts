import assert from "node:assert/strict";
import { chmodSync, lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { testContext } from "#test/fakes/context.ts";
import { temporaryFolder } from "#test/rig/temporary-folder.ts";
import { createExec } from "./exec.ts";
import { LinuxHostPaths } from "./host-paths.ts";

const paths = new LinuxHostPaths(createExec());
const ctx = testContext();

test("kindOf() tells files from folders, and does not follow links", async () => {
  using folder = temporaryFolder();
  const at = (name: string) => join(folder.path, name);
  writeFileSync(at("-file with blanks"), "");
  symlinkSync(folder.path, at("link"));
  assert.equal(await paths.kindOf(folder.path, ctx), "directory");
  assert.equal(await paths.kindOf(at("-file with blanks"), ctx), "file");
  assert.equal(await paths.kindOf(at("link"), ctx), "other");
  assert.equal(await paths.kindOf(at("nothing"), ctx), undefined);
  assert.equal(await paths.kindOf("/dev/null", ctx), "other");
});

test("kindOf() rejects with unavailable when it cannot tell", async () => {
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, "file"), "");
  const below = paths.kindOf(join(folder.path, "file/below"), ctx);
  await assert.rejects(below, {
    kind: "unavailable",
    message: /^Cannot look at ".*Not a directory$/,
  });
});

test("ensureDirectory() makes a folder with its parents, once", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "a/b/c");
  await paths.ensureDirectory(path, ctx);
  assert.equal(lstatSync(path).mode & 0o777, 0o750);
  chmodSync(path, 0o700);
  await paths.ensureDirectory(path, ctx);
  assert.equal(lstatSync(path).mode & 0o777, 0o700);
});

test("ensureDirectory() rejects when a file is in the way", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "file");
  writeFileSync(path, "");
  await assert.rejects(paths.ensureDirectory(path, ctx), {
    kind: "failed-precondition",
    message: `Cannot make folder "${path}": a file is there`,
  });
});

test("ensureFile() makes an empty file with its parents, and leaves one with content alone", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "a/file");
  await paths.ensureFile(path, ctx);
  assert.equal(lstatSync(path).mode & 0o777, 0o600);
  writeFileSync(path, "content");
  await paths.ensureFile(path, ctx);
  assert.equal(lstatSync(path).size, 7);
});

test("ensureFile() rejects when a folder is in the way", async () => {
  using folder = temporaryFolder();
  const run = paths.ensureFile(folder.path, ctx);
  await assert.rejects(run, { kind: "failed-precondition", message: /: a folder is there$/ });
});

test("removeIfEmpty() removes an empty folder, an empty file and nothing", async () => {
  using folder = temporaryFolder();
  mkdirSync(join(folder.path, "folder"));
  writeFileSync(join(folder.path, "file"), "");
  for (const name of ["folder", "file", "nothing"])
    await paths.removeIfEmpty(join(folder.path, name), ctx);
  assert.deepEqual(readdirSync(folder.path), []);
});

test("removeIfEmpty() never removes content", async () => {
  using folder = temporaryFolder();
  const at = (name: string) => join(folder.path, name);
  mkdirSync(at("folder/inner"), { recursive: true });
  writeFileSync(at("file"), "data");
  symlinkSync(at("folder"), at("link"));
  for (const [name, state] of [
    ["folder", "it is not empty"],
    ["file", "it is not empty"],
    ["link", "it is neither folder nor file"],
  ] as const)
    await assert.rejects(paths.removeIfEmpty(at(name), ctx), {
      kind: "failed-precondition",
      message: `Cannot remove "${at(name)}": ${state}`,
    });
  assert.deepEqual(readdirSync(folder.path).sort(), ["file", "folder", "link"]);
});
