import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { MiB } from "#lib/bytes.ts";
import { testContext } from "#test/fakes/context.ts";
import { LoopDisk } from "#test/rig/loop-disk.ts";
import { rootTest } from "#test/rig/root.ts";
import { createExec } from "./exec.ts";
import { LinuxHostPaths } from "./host-paths.ts";

const paths = new LinuxHostPaths(createExec());
const ctx = testContext();

rootTest("removeIfEmpty() refuses mount points, however empty they look", {}, async () => {
  using disk = new LoopDisk(MiB);
  const [folder, file] = [`${disk.folder}/folder`, `${disk.folder}/file`];
  mkdirSync(folder);
  writeFileSync(file, "");
  execFileSync("mount", ["-t", "tmpfs", "none", folder]);
  execFileSync("mount", ["--bind", "/proc/self/maps", file]);
  for (const path of [folder, file])
    await assert.rejects(paths.removeIfEmpty(path, ctx), {
      kind: "failed-precondition",
      message: `Cannot remove "${path}": something is mounted there`,
    });
  assert.ok(existsSync(folder) && existsSync(file));
});

rootTest("removeIfEmpty() refuses a published block device", {}, async () => {
  using disk = new LoopDisk(MiB);
  const file = `${disk.folder}/device`;
  writeFileSync(file, "");
  execFileSync("mount", ["--bind", disk.device, file]);
  assert.equal(await paths.kindOf(file, ctx), "block-device");
  await paths.ensureFile(file, ctx);
  await assert.rejects(paths.removeIfEmpty(file, ctx), { kind: "failed-precondition" });
});
