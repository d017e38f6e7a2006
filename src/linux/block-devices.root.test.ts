import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { MiB } from "#lib/bytes.ts";
import { testContext } from "#test/fakes/context.ts";
import { LoopDisk } from "#test/rig/loop-disk.ts";
import { rootTest } from "#test/rig/root.ts";
import { LinuxBlockDevices } from "./block-devices.ts";
import { deviceNumberOf } from "./device-node.ts";
import { createExec } from "./exec.ts";
import { Sysfs } from "./sysfs.ts";

const devices = new LinuxBlockDevices(createExec(), new Sysfs("/sys"));
const ctx = testContext();

rootTest("majorMinorOf() reads what sysfs says, through links and bind mounts", {}, async () => {
  using disk = new LoopDisk(MiB);
  const expected = readFileSync(`/sys/block/${disk.name}/dev`, "utf8").trim();
  const [link, file] = [`${disk.folder}/link`, `${disk.folder}/file`];
  symlinkSync(disk.device, link);
  writeFileSync(file, "");
  assert.equal(await devices.majorMinorOf(file, ctx), undefined);
  execFileSync("mount", ["--bind", disk.device, file]);
  for (const path of [disk.device, link, file])
    assert.equal(await devices.majorMinorOf(path, ctx), expected);
  assert.equal(deviceNumberOf(disk.device), expected);
  assert.equal(await devices.majorMinorOf(`${disk.folder}/nothing`, ctx), undefined);
  assert.equal(await devices.majorMinorOf("/dev/null", ctx), undefined);
});

rootTest("deviceNumberOf() takes large device numbers apart", { tools: ["mknod"] }, async () => {
  using disk = new LoopDisk(MiB);
  for (const [major, minor] of [
    [259, 1],
    [253, 256],
    [4095, 1048575],
    [8, 65535],
  ] as const) {
    const path = `${disk.folder}/node-${major}-${minor}`;
    execFileSync("mknod", [path, "b", String(major), String(minor)]);
    assert.equal(deviceNumberOf(path), `${major}:${minor}`);
    assert.equal(await devices.majorMinorOf(path, ctx), `${major}:${minor}`);
  }
});

rootTest("sizeOf() follows a device that grows", {}, async () => {
  using disk = new LoopDisk(3 * MiB);
  assert.equal(await devices.sizeOf(disk.device, ctx), 3 * MiB);
  disk.grow(5 * MiB);
  assert.equal(await devices.sizeOf(disk.device, ctx), 5 * MiB);
});

rootTest("setReadOnly() makes the kernel refuse writers, and takes it back", {}, async () => {
  using disk = new LoopDisk(MiB);
  const write = () => {
    const file = openSync(disk.device, "r+");
    try {
      return writeSync(file, "data");
    } finally {
      closeSync(file);
    }
  };
  await devices.setReadOnly(disk.device, true, ctx);
  assert.throws(write, { code: /^(EPERM|EACCES)$/ });
  await devices.setReadOnly(disk.device, false, ctx);
  assert.equal(write(), 4);
});

rootTest("a device that is none is refused, not guessed at", {}, async () => {
  await assert.rejects(devices.sizeOf("/dev/null", ctx), {
    kind: "unavailable",
    message: 'Cannot read the size of "/dev/null": there is no block device',
  });
  await assert.rejects(devices.setReadOnly("/dev/nothing", true, ctx), { kind: "unavailable" });
});

rootTest(
  "isClaimed() sees a file system that is in no mount table any more",
  {
    tools: ["mkfs.ext4"],
  },
  async () => {
    using disk = new LoopDisk(8 * MiB);
    execFileSync("mkfs.ext4", ["-q", disk.device]);
    assert.equal(await devices.isClaimed(disk.device, ctx), false);
    const mountPoint = `${disk.folder}/mount`;
    mkdirSync(mountPoint);
    execFileSync("mount", [disk.device, mountPoint]);
    const file = openSync(`${mountPoint}/file`, "w");
    execFileSync("umount", ["--lazy", mountPoint]);
    assert.ok(!readFileSync("/proc/self/mountinfo", "utf8").includes(mountPoint));
    assert.equal(await devices.isClaimed(disk.device, ctx), true);
    closeSync(file);
    assert.equal(await devices.isClaimed(disk.device, ctx), false);
    assert.equal(await devices.isClaimed(`${disk.folder}/nothing`, ctx), false);
  },
);
