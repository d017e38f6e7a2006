import assert from "node:assert/strict";
import test from "node:test";
import { testContext } from "#test/fakes/context.ts";
import { SysfsTree } from "#test/fakes/sysfs-tree.ts";
import { LinuxBlockDevices } from "./block-devices.ts";

/** Where `stat` says this of every path. */
function saying(stdout: string, sysfs: SysfsTree["sysfs"]): LinuxBlockDevices {
  return new LinuxBlockDevices(async () => ({ stdout, stderr: "" }), sysfs);
}

/** Lets everything that can go on do so. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

test("majorMinorOf() tells a block device from other files", async () => {
  using tree = new SysfsTree();
  const ctx = testContext();
  assert.equal(await saying("61b0 fd 1\n", tree.sysfs).majorMinorOf("/dev/dm-1", ctx), "253:1");
  assert.equal(await saying("21b6 1 3\n", tree.sysfs).majorMinorOf("/dev/null", ctx), undefined);
});

test("majorMinorOf() never takes half an answer for the absence of a device", async () => {
  using tree = new SysfsTree();
  for (const half of ["", "61b0", "61b0 fd", "61b0 fd 1"])
    await assert.rejects(saying(half, tree.sysfs).majorMinorOf("/dev/dm-1", testContext()), {
      kind: "unavailable",
      message: `Cannot look at "/dev/dm-1": stat says ${JSON.stringify(half)}`,
    });
});

test("isClaimed() has two processes at a time, however many ask, and waits no longer than its call", async () => {
  using tree = new SysfsTree();
  const probes: (() => void)[] = [];
  const devices = new LinuxBlockDevices(async () => {
    await new Promise<void>((resolve) => probes.push(resolve));
    return { stdout: "EBUSY", stderr: "" };
  }, tree.sysfs);
  const leaving = new AbortController();
  const asked = [1, 2, 3].map((index) => devices.isClaimed(`/dev/dm-${index}`, testContext()));
  const left = devices.isClaimed("/dev/dm-4", testContext({ signal: leaving.signal }));
  await settle();
  assert.equal(probes.length, 2);
  leaving.abort();
  await assert.rejects(left, {
    kind: "deadline-exceeded",
    message: 'Cannot tell who uses "/dev/dm-4": the call ended while it waited for its turn',
  });
  probes[0]?.();
  await settle();
  assert.equal(probes.length, 3);
  for (const end of probes) end();
  assert.deepEqual(await Promise.all(asked), [true, true, true]);
});
