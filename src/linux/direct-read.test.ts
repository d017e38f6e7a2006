import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { testContext } from "#test/fakes/context.ts";
import { exitCode, ScriptedExec } from "#test/fakes/scripted-exec.ts";
import { temporaryFolder } from "#test/rig/temporary-folder.ts";
import { LinuxDirectReads } from "./direct-read.ts";
import { createExec } from "./exec.ts";
import { ExecError } from "./exec-error.ts";

test("readDirect() reads a block past the page cache, bounded", async () => {
  const tools = new ScriptedExec(() => "");
  await new LinuxDirectReads(tools.exec).readDirect("/dev/nvme0n1", testContext());
  assert.deepEqual(tools.commands, [
    "dd if=/dev/nvme0n1 of=/dev/null bs=4096 count=1 iflag=direct",
  ]);
});

test("readDirect() rejects with unavailable and dd's words when the device answers with an error", async () => {
  const tools = new ScriptedExec(() => exitCode(1, "dd: error reading: Input/output error"));
  await assert.rejects(new LinuxDirectReads(tools.exec).readDirect("/dev/nvme0n1", testContext()), {
    kind: "unavailable",
    message: /^Cannot read "\/dev\/nvme0n1": dd failed with exit code 1: .*Input\/output error$/,
  });
});

test("readDirect() says how long a read has waited that the device does not answer, and of a late answer that it was one", async () => {
  const silence = { reason: "hangs in the kernel", timedOut: true, hungForMs: 9_000 };
  const late = { reason: "did not end within 5 s", timedOut: true };
  const failures = [silence, late];
  const reads = new LinuxDirectReads(async ({ file }) => {
    throw new ExecError(file, failures.shift() ?? late);
  });
  await assert.rejects(reads.readDirect("/dev/nvme0n1", testContext()), {
    kind: "deadline-exceeded",
    silentMs: 9_000,
    message: 'Cannot read "/dev/nvme0n1": dd hangs in the kernel',
  });
  await assert.rejects(reads.readDirect("/dev/nvme0n1", testContext()), {
    kind: "unavailable",
    message: 'Cannot read "/dev/nvme0n1": dd did not end within 5 s',
  });
});

test("readDirect() understands the real dd", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "image");
  writeFileSync(file, Buffer.alloc(8192));
  const reads = new LinuxDirectReads(createExec());
  await reads.readDirect(file, testContext());
  await assert.rejects(reads.readDirect(`${file}-missing`, testContext()), {
    kind: "unavailable",
    message: /No such file or directory/,
  });
});
