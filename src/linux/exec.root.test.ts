import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { MiB } from "#lib/bytes.ts";
import { testContext } from "#test/fakes/context.ts";
import { LoopDisk } from "#test/rig/loop-disk.ts";
import { rootTest } from "#test/rig/root.ts";
import { createExec } from "./exec.ts";
import type { ExecError } from "./exec-error.ts";

const needs = { tools: ["mkfs.ext4", "fsfreeze"], filesystems: ["ext4"] };

rootTest("exec() leaves a process in the D state behind, and refuses it twice", needs, async () => {
  using disk = new LoopDisk(32 * MiB);
  const mountPoint = `${disk.folder}/mounted`;
  mkdirSync(mountPoint);
  execFileSync("mkfs.ext4", ["-q", disk.device]);
  execFileSync("mount", [disk.device, mountPoint]);
  const exec = createExec(100);
  const request = { file: "touch", args: [`${mountPoint}/file`], timeoutMs: 200 };
  execFileSync("fsfreeze", ["--freeze", mountPoint]);
  try {
    const hung = exec(request, testContext());
    let hungForMs = 0;
    await assert.rejects(hung, (error: ExecError) => {
      assert.match(error.reason, /hangs in the kernel$/);
      hungForMs = error.hungForMs ?? 0;
      return error.timedOut && hungForMs >= 400;
    });
    await assert.rejects(exec(request, testContext()), (error: ExecError) => {
      assert.match(error.reason, /from an earlier call$/);
      return (error.hungForMs ?? 0) > hungForMs;
    });
  } finally {
    execFileSync("fsfreeze", ["--unfreeze", mountPoint]);
  }
  await delay(300);
  await exec(request, testContext());
});
