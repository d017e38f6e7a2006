import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import type { Nqn } from "#domain/nqn.ts";
import { MiB } from "#lib/bytes.ts";
import { systemClock } from "#lib/clock.ts";
import { deviceNumberOf } from "#linux/device-node.ts";
import { createExec } from "#linux/exec.ts";
import { Sysfs } from "#linux/sysfs.ts";
import { testContext } from "#test/fakes/context.ts";
import { rootTest } from "#test/rig/root.ts";
import { temporaryFolder } from "#test/rig/temporary-folder.ts";
import { LoopInitiator } from "./loop-initiator.ts";
import { LoopRecords } from "./loop-record.ts";
import { Losetup } from "./losetup.ts";

const nqn = "nqn.2000-02.com.mikrotik:pvc-a.1-abcdefgh" as Nqn;
const other = "nqn.2000-02.com.mikrotik:pvc-b.1-abcdefgh" as Nqn;
const options = {
  ctrlLossTmoSeconds: -1,
  reconnectDelaySeconds: 2,
  keepAliveTmoSeconds: undefined,
  nrIoQueues: undefined,
};
const ctx = testContext();
const target = (name: Nqn) => ({ nqn: name, addresses: ["127.0.0.1"], port: 4420 });

/** Real loop devices on images that a folder exports; all are detached in the end. */
function rig() {
  const folder = temporaryFolder();
  const exportsFolder = join(folder.path, "exports");
  mkdirSync(exportsFolder);
  const image = (name: Nqn) => join(folder.path, `${name}.img`);
  const publish = (name: Nqn, sizeBytes: number) => {
    writeFileSync(image(name), "");
    truncateSync(image(name), sizeBytes);
    symlinkSync(image(name), join(exportsFolder, name));
  };
  const unpublish = (name: Nqn) => rmSync(join(exportsFolder, name));
  const plugin = () =>
    new LoopInitiator({
      losetup: new Losetup(createExec()),
      host: { sysfs: new Sysfs("/sys"), dev: "/dev", deviceNumberOf },
      records: new LoopRecords(join(folder.path, "state")),
      exportsFolder,
      clock: systemClock,
      bootIdFile: "/proc/sys/kernel/random/boot_id",
    });
  const dispose = () => {
    for (const device of attachedBelow(folder.path)) execFileSync("losetup", ["-d", device]);
    folder[Symbol.dispose]();
  };
  const attached = () => attachedBelow(folder.path);
  return { plugin, publish, unpublish, image, attached, [Symbol.dispose]: dispose };
}

function attachedBelow(folder: string): string[] {
  const list = execFileSync("losetup", ["--list", "--noheadings", "-O", "NAME,BACK-FILE"], {
    encoding: "utf8",
  });
  const lines = list.split("\n").filter((line) => line.includes(` ${folder}/`));
  return lines.map((line) => line.split(" ")[0] ?? "");
}

rootTest("connect() attaches the exported image, once", {}, async () => {
  using it = rig();
  it.publish(nqn, 4 * MiB);
  await it.plugin().connect(target(nqn), options, ctx);
  await it.plugin().connect(target(nqn), options, ctx);
  assert.equal(it.attached().length, 1);
  const device = await it.plugin().findDevice(nqn, ctx);
  assert.ok(device);
  assert.deepEqual([device.nqn, device.sizeBytes, device.blockBytes], [nqn, 4 * MiB, 512]);
  assert.equal(it.attached()[0], device.path);
  // as staging does: a device may be as its last user left it
  execFileSync("blockdev", ["--setrw", device.path]);
  writeFileSync(device.path, "data");
  execFileSync("sync", [device.path]);
  assert.equal(readFileSync(it.image(nqn), "utf8").slice(0, 4), "data");
});

rootTest("an export that has gone cuts no device, but lets none in again", {}, async () => {
  using it = rig();
  it.publish(nqn, MiB);
  await it.plugin().connect(target(nqn), options, ctx);
  it.unpublish(nqn);
  assert.ok(await it.plugin().findDevice(nqn, ctx));
  await it.plugin().disconnect(nqn, ctx);
  assert.deepEqual(it.attached(), []);
  const again = it.plugin().connect(target(nqn), options, ctx);
  await assert.rejects(again, { kind: "unavailable", message: /: no such export$/ });
});

rootTest("rescan() shows the size that the image has grown to", {}, async () => {
  using it = rig();
  it.publish(nqn, MiB);
  await it.plugin().connect(target(nqn), options, ctx);
  truncateSync(it.image(nqn), 3 * MiB);
  await it.plugin().rescan(nqn, ctx);
  assert.equal((await it.plugin().findDevice(nqn, ctx))?.sizeBytes, 3 * MiB);
  await assert.rejects(it.plugin().rescan(other, ctx), { kind: "unavailable" });
});

rootTest("a loop number that was reused is not mistaken, nor detached", {}, async () => {
  using it = rig();
  it.publish(nqn, MiB);
  it.publish(other, 2 * MiB);
  await it.plugin().connect(target(nqn), options, ctx);
  const device = await it.plugin().findDevice(nqn, ctx);
  assert.ok(device);
  execFileSync("losetup", ["--detach", device.path]);
  execFileSync("losetup", [device.path, it.image(other)]);
  assert.equal(await it.plugin().findDevice(nqn, ctx), undefined);
  await it.plugin().disconnect(nqn, ctx);
  assert.deepEqual(it.attached(), [device.path]);
});

rootTest("disconnect() rejects with unavailable while the device is open", {}, async () => {
  using it = rig();
  it.publish(nqn, MiB);
  await it.plugin().connect(target(nqn), options, ctx);
  const device = await it.plugin().findDevice(nqn, ctx);
  assert.ok(device);
  const name = basename(device.path);
  const file = openSync(device.path, "r");
  try {
    await assert.rejects(it.plugin().disconnect(nqn, ctx), {
      kind: "unavailable",
      message: `Cannot disconnect "${nqn}": "${name}" is still in use`,
    });
    assert.equal(await it.plugin().findDevice(nqn, ctx), undefined);
    await assert.rejects(it.plugin().connect(target(nqn), options, ctx), {
      kind: "unavailable",
      message: `Cannot connect "${nqn}": "${name}" is still being detached`,
    });
  } finally {
    closeSync(file);
  }
  await it.plugin().disconnect(nqn, ctx);
  assert.deepEqual(it.attached(), []);
  await it.plugin().connect(target(nqn), options, ctx);
});
