import assert from "node:assert/strict";
import test from "node:test";
import { testContext } from "#test/fakes/context.ts";
import { exitCode, ScriptedExec } from "#test/fakes/scripted-exec.ts";
import { grow } from "./grow.ts";

const statfs = "1024 1000 900 65536 65000 4096";

function failingGrowth(stderr: string) {
  return new ScriptedExec(({ file }) => (file === "resize2fs" ? exitCode(1, stderr) : statfs)).exec;
}

const mounted = { fsType: "ext4", device: "/dev/nvme0n1", mountPoint: "/staging" };

test("grow() names the capability that the kernel asks for when ext4 may not grow", async () => {
  const exec = failingGrowth("resize2fs: Permission denied to resize filesystem\n");
  await assert.rejects(grow(exec, mounted, testContext()), {
    kind: "failed-precondition",
    message:
      'Cannot grow the ext4 at "/staging": the kernel asks for the capability CAP_SYS_RESOURCE, which this process lacks',
  });
});

test("grow() passes on what the tool says of any other failure", async () => {
  const exec = failingGrowth("resize2fs: Superblock checksum does not match\n");
  await assert.rejects(grow(exec, mounted, testContext()), {
    kind: "internal",
    message: /^Cannot grow the file system at "\/staging": .*checksum does not match/,
  });
});
