import assert from "node:assert/strict";
import test from "node:test";
import { testContext } from "#test/fakes/context.ts";
import { exitCode, ScriptedExec } from "#test/fakes/scripted-exec.ts";
import { SysfsTree } from "#test/fakes/sysfs-tree.ts";
import { LinuxBlockDevices } from "./block-devices.ts";

const ctx = testContext();

/** Where `stat` says this of every path. */
function saying(stdout: string, sysfs: SysfsTree["sysfs"]): LinuxBlockDevices {
  return new LinuxBlockDevices(async () => ({ stdout, stderr: "" }), sysfs);
}

/** Lets everything that can go on do so. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

test("majorMinorOf() tells a block device from other files", async () => {
  using tree = new SysfsTree();
  assert.equal(await saying("61b0 fd 1\n", tree.sysfs).majorMinorOf("/dev/dm-1", ctx), "253:1");
  assert.equal(await saying("21b6 1 3\n", tree.sysfs).majorMinorOf("/dev/null", ctx), undefined);
});

test("majorMinorOf() never takes half an answer for the absence of a device", async () => {
  using tree = new SysfsTree();
  for (const half of ["", "61b0", "61b0 fd", "61b0 fd 1"])
    await assert.rejects(saying(half, tree.sysfs).majorMinorOf("/dev/dm-1", ctx), {
      kind: "unavailable",
      message: `Cannot look at "/dev/dm-1": stat says ${JSON.stringify(half)}`,
    });
});

test("majorMinorsOf() asks one process, and leaves out what that cannot look at", async () => {
  using tree = new SysfsTree();
  const said = "61b0 fd 1 /pods/a b\n21b6 1 3 /dev/null\n61b0 fd 2 /pods/c";
  const stat = new ScriptedExec(() => exitCode(1, "stat: cannot statx '/x': I/O error\n", said));
  const devices = new LinuxBlockDevices(stat.exec, tree.sysfs);
  const paths = ["/pods/a b", "/x", "/dev/null", "/pods/cut", "/pods/c"];
  assert.deepEqual(
    await devices.majorMinorsOf(paths, ctx),
    new Map([
      ["/pods/a b", "253:1"],
      ["/dev/null", undefined],
    ]),
  );
  assert.deepEqual(stat.commands, [`stat -L -c %f %t %T %n -- ${paths.join(" ")}`]);
  await devices.majorMinorsOf([], ctx);
  assert.equal(stat.commands.length, 1);
});

test("majorMinorsOf() asks of thousands in parts, and fails when it has no answer in time", async () => {
  using tree = new SysfsTree();
  const stat = new ScriptedExec(({ args }) => `61b0 fd 1 ${args.at(-1)}\n`);
  const paths = Array.from({ length: 1_001 }, (_, index) => `/pods/${index}`);
  const numbers = await new LinuxBlockDevices(stat.exec, tree.sysfs).majorMinorsOf(paths, ctx);
  assert.deepEqual([...numbers.keys()], ["/pods/499", "/pods/999", "/pods/1000"]);
  const late = new ScriptedExec(() => ({ reason: "did not end within 10 s", timedOut: true }));
  await assert.rejects(new LinuxBlockDevices(late.exec, tree.sysfs).majorMinorsOf(["/a"], ctx), {
    kind: "unavailable",
    message: "Cannot look at 1 device nodes: stat did not end within 10 s",
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
  const asked = [1, 2, 3].map((index) => devices.isClaimed(`/dev/dm-${index}`, ctx));
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
