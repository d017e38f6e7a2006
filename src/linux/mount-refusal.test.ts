import assert from "node:assert/strict";
import test from "node:test";
import { testContext } from "#test/fakes/context.ts";
import { exitCode, ScriptedExec } from "#test/fakes/scripted-exec.ts";
import { LinuxMounts } from "./mounts.ts";

const request = { source: "/dev/nvme0n1", target: "/staging", fsType: "xfs", options: [] };
const dmesg = "\n       dmesg(1) may have more information after failed mount system call.\n";

/** What mount(8) says, of util-linux 2.38 to 2.41, on Linux 6.1 to 6.18. */
const words: readonly (readonly ["failed-precondition" | "internal", string])[] = [
  ["failed-precondition", "unknown filesystem type 'xfs'."],
  ["failed-precondition", "/dev/nvme0n1 already mounted or mount point busy."],
  ["failed-precondition", "fsconfig system call failed: /dev/nvme0n1: Can't open blockdev."],
  ["failed-precondition", "fsconfig() failed: /dev/nvme0n1: Can't open blockdev."],
  ["failed-precondition", "fsconfig system call failed: xfs: Unknown parameter 'swalloc'."],
  ["failed-precondition", "fsconfig() failed: ext4: Bad value for 'commit'."],
  ["failed-precondition", "fsconfig() failed: ext4: Unexpected value for 'discard'."],
  ["failed-precondition", "failed to parse mount options 'nosuid,nodev,x'."],
  [
    "internal",
    "wrong fs type, bad option, bad superblock on /dev/nvme0n1, missing codepage or helper program, or other error.",
  ],
  ["internal", "can't read superblock on /dev/nvme0n1."],
  ["internal", "cannot mount; probably corrupted filesystem on /dev/nvme0n1."],
  ["internal", "mount(2) system call failed: Structure needs cleaning."],
  ["internal", "fsconfig() failed: Structure needs cleaning."],
  ["internal", "mount(2) system call failed: File exists."],
  ["internal", "cannot mount /dev/nvme0n1 read-only."],
];

for (const [kind, said] of words)
  test(`mount() is ${kind}: ${said}`, async () => {
    const { exec } = new ScriptedExec(() => exitCode(32, `mount: /staging: ${said}${dmesg}`));
    await assert.rejects(new LinuxMounts(exec, "/dev/null").mount(request, testContext()), {
      kind,
      message: `Cannot mount "/dev/nvme0n1" on "/staging": mount failed with exit code 32: mount: /staging: ${said}${dmesg}`,
    });
  });
