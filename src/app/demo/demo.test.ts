import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "#test/rig/temporary-folder.ts";

const main = join(import.meta.dirname, "../../main.ts");

test("the demo cleans up when nobody reads it any more, as when `head` has had enough", async () => {
  using folder = temporaryFolder();
  const child = spawn(process.execPath, [main, "demo"], {
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, TMPDIR: folder.path },
  });
  child.stdout.once("data", () => child.stdout.destroy());
  const code = await new Promise((resolve) => child.once("close", resolve));
  assert.equal(code, 1);
  assert.deepEqual(readdirSync(folder.path), []);
});
