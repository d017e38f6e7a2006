import assert from "node:assert/strict";
import test from "node:test";
import { testContext } from "#test/fakes/context.ts";
import { SysfsTree } from "#test/fakes/sysfs-tree.ts";
import { LinuxBlockDevices } from "./block-devices.ts";
import { createExec } from "./exec.ts";

const ctx = testContext();

test("holders() lists what is stacked on a device", async () => {
  using tree = new SysfsTree();
  tree.link("dev/block/259:1", "block/nvme0n1");
  tree.attributes("block/nvme0n1/holders/dm-3", {});
  tree.attributes("block/nvme0n1/holders/dm-11", {});
  const devices = new LinuxBlockDevices(createExec(), tree.sysfs);
  assert.deepEqual(await devices.holders("259:1", ctx), ["dm-11", "dm-3"]);
});

test("holders() of a device that is gone rejects with unavailable, not with none", async () => {
  using tree = new SysfsTree();
  const devices = new LinuxBlockDevices(createExec(), tree.sysfs);
  await assert.rejects(devices.holders("259:1", ctx), {
    kind: "unavailable",
    message: "Cannot list the holders of device 259:1: it is gone",
  });
});
