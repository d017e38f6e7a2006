import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "./rig/temporary-folder.ts";

/** What `make test` runs, on one file with this text; no file for `undefined`. */
function ran(text: string | undefined) {
  using folder = temporaryFolder();
  if (text !== undefined) writeFileSync(join(folder.path, "planted.test.mjs"), text);
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const reporter = `--test-reporter=${join(import.meta.dirname, "reporter.ts")}`;
  const { status, stdout } = spawnSync(
    process.execPath,
    ["--test", reporter, join(folder.path, "*.test.mjs")],
    { env, encoding: "utf8" },
  );
  return { status, stdout };
}

const planted = (body: string) =>
  `import { test } from "node:test"; test("planted", () => ${body})`;

test("reporter() is green for a test that passes, with one line of counts", () => {
  const { status, stdout } = ran(planted("{}"));
  assert.equal(status, 0);
  assert.match(stdout, /^[\d.]+ s\n1 passed, 0 failed, 0 skipped\n$/);
});

test("reporter() is red for a test that fails, a file that cannot be read, and no file at all (pitfall 32)", () => {
  const failed = ran(planted('{ throw new Error("broken") }'));
  assert.equal(failed.status, 1);
  assert.match(failed.stdout, /^FAILED planted\n.*broken.*0 passed, 1 failed/s);
  const unreadable = ran("import './nowhere.js'");
  assert.equal(unreadable.status, 1);
  const none = ran(undefined);
  assert.equal(none.status, 1);
  assert.match(none.stdout, /no test has run\n$/);
});
