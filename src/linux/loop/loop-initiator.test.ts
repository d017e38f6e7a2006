import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import type { Nqn } from "#domain/nqn.ts";
import { createExec } from "#linux/exec.ts";
import { testContext } from "#test/fakes/context.ts";
import { ManualClock } from "#test/fakes/manual-clock.ts";
import { exitCode, ScriptedExec } from "#test/fakes/scripted-exec.ts";
import { SysfsTree } from "#test/fakes/sysfs-tree.ts";
import { temporaryFolder } from "#test/rig/temporary-folder.ts";
import { LoopInitiator } from "./loop-initiator.ts";
import { LoopRecords } from "./loop-record.ts";
import { Losetup } from "./losetup.ts";

const nqn = "nqn.2000-02.com.mikrotik:pvc-a.1-abcdefgh" as Nqn;
const target = { nqn, addresses: ["127.0.0.1"], port: 4420 };
const options = {
  ctrlLossTmoSeconds: -1,
  reconnectDelaySeconds: 2,
  keepAliveTmoSeconds: undefined,
  nrIoQueues: undefined,
};
const ctx = testContext();

/** A machine whose loop devices are what the test puts into sysfs. */
function rig(exec = createExec()) {
  const folder = temporaryFolder();
  const tree = new SysfsTree();
  const [exportsFolder, bootIdFile] = [join(folder.path, "exports"), join(folder.path, "boot_id")];
  mkdirSync(exportsFolder);
  writeFileSync(bootIdFile, "boot-1\n");
  const records = new LoopRecords(join(folder.path, "state"));
  const host = { sysfs: tree.sysfs, dev: "/dev", deviceNumberOf: () => "7:9" };
  const losetup = new Losetup(exec);
  const parts = { losetup, host, records, exportsFolder, clock: new ManualClock(), bootIdFile };
  const attach = (image: string, diskseq: number) =>
    tree.attributes("block/loop9", {
      diskseq,
      dev: "7:9",
      size: 2048,
      "queue/logical_block_size": 512,
      "loop/backing_file": image,
      "loop/autoclear": 0,
    });
  const dispose = () => {
    tree[Symbol.dispose]();
    folder[Symbol.dispose]();
  };
  const initiator = new LoopInitiator(parts);
  return { initiator, records, exportsFolder, bootIdFile, tree, attach, [Symbol.dispose]: dispose };
}

const record = { disk: "loop9", diskSequence: 20, bootId: "boot-1", image: "/images/a" };

test("connect() rejects with unavailable for an NQN that is not exported", async () => {
  using it = rig();
  await assert.rejects(it.initiator.connect(target, options, ctx), {
    kind: "unavailable",
    message: `Cannot connect "${nqn}": no such export`,
  });
});

test("connect() hands on what losetup says", async () => {
  const scripted = new ScriptedExec(() => exitCode(1, "cannot find an unused loop device"));
  using it = rig(scripted.exec);
  symlinkSync("/etc/passwd", join(it.exportsFolder, nqn));
  await assert.rejects(it.initiator.connect(target, options, ctx), {
    kind: "unavailable",
    message: /: losetup failed with exit code 1: cannot find an unused loop device$/,
  });
  assert.deepEqual(scripted.commands, ["losetup --find --show --direct-io=off -- /etc/passwd"]);
});

test("connect() detaches again what it cannot identify", async () => {
  const scripted = new ScriptedExec(() => "/dev/loop9\n");
  using it = rig(scripted.exec);
  symlinkSync("/etc/passwd", join(it.exportsFolder, nqn));
  await assert.rejects(it.initiator.connect(target, options, ctx), {
    kind: "failed-precondition",
    message: 'Cannot identify "loop9": the kernel shows no diskseq, Linux 5.15 has it',
  });
  assert.equal(scripted.commands.at(-1), "losetup --detach /dev/loop9");
  assert.equal(await it.records.find(nqn), undefined);
});

test("findDevice() takes only the very attachment that was recorded", async () => {
  using it = rig();
  assert.equal(await it.initiator.findDevice(nqn, ctx), undefined);
  await it.records.save(nqn, record);
  assert.equal(await it.initiator.findDevice(nqn, ctx), undefined);
  it.attach("/images/a", 20);
  assert.deepEqual(await it.initiator.findDevice(nqn, ctx), {
    nqn,
    path: "/dev/loop9",
    majorMinor: "7:9",
    sizeBytes: 2048 * 512,
    blockBytes: 512,
  });
  it.attach("/images/a (deleted)", 20);
  assert.equal(await it.initiator.findDevice(nqn, ctx), undefined, "the image is another one");
  it.attach("/images/a", 21);
  assert.equal(await it.initiator.findDevice(nqn, ctx), undefined, "the number was reused");
  it.attach("/images/a", 20);
  writeFileSync(it.bootIdFile, "boot-2\n");
  assert.equal(await it.initiator.findDevice(nqn, ctx), undefined, "the machine was rebooted");
});

test("disconnect() forgets an attachment that has gone, and touches no other", async () => {
  const scripted = new ScriptedExec(() => assert.fail("nothing may run"));
  using it = rig(scripted.exec);
  await it.records.save(nqn, record);
  it.attach("/images/b", 21);
  await it.initiator.disconnect(nqn, ctx);
  assert.equal(await it.records.find(nqn), undefined);
  await it.initiator.disconnect(nqn, ctx);
});

test("a damaged record is a failure that names the file, not an absent connection", async () => {
  using it = rig();
  await it.records.save(nqn, { ...record, disk: "sda" });
  const expected = { kind: "internal", message: new RegExp(`"[^"]*${nqn}\\.json": .* at disk$`) };
  await assert.rejects(it.initiator.findDevice(nqn, ctx), expected);
  await assert.rejects(it.initiator.disconnect(nqn, ctx), expected);
});
