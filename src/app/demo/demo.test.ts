import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { rootTest } from "#test/rig/root.ts";
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

const onBtrfs = { tools: ["mkfs.btrfs"], filesystems: ["btrfs"] };

rootTest(
  "the demo restores from a snapshot what it has damaged, and leaves nothing",
  onBtrfs,
  async () => {
    using folder = temporaryFolder();
    const env = { ...process.env, TMPDIR: folder.path };
    const { stdout } = await promisify(execFile)(process.execPath, [main, "demo"], { env });
    const digests = [...stdout.matchAll(/sha256 (\w{64})/g)].map(([, digest]) => digest);
    const [written, damaged, onTheOtherNode, restored, ...others] = digests;
    assert.deepEqual(others, []);
    assert.ok(written !== undefined && damaged !== written, "the data is damaged");
    assert.deepEqual([onTheOtherNode, restored], [damaged, written]);
    assert.match(stdout, /of that name there are 0 disks, 0 files and 0 subvolumes/);
    assert.deepEqual(readdirSync(folder.path), []);
  },
);
