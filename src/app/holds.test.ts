import assert from "node:assert/strict";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import type { Nqn } from "#domain/nqn.ts";
import { Dmsetup } from "#linux/device-mapper/dmsetup.ts";
import { LinuxDeviceMapper } from "#linux/device-mapper/linux-device-mapper.ts";
import { stage } from "#node/stage.ts";
import { DmKernel } from "#test/fakes/dm-kernel.ts";
import { NodeWorld, stagingPathOf } from "#test/fakes/node/node-world.ts";
import { exitCode } from "#test/fakes/scripted-exec.ts";
import { HostHolds, reasonAgainst } from "./holds.ts";

const silence = { reason: "did not end within 10 s", timedOut: true };

/** A host whose dmsetup says nothing to the first so many questions, and then says no. */
function rig({ silent, says }: { silent: number; says: "no" | "yes" }) {
  const kernel = new DmKernel();
  kernel.tree.attributes("module/nvme_core/parameters", { multipath: "Y" });
  kernel.addDisk("253:0", 4096);
  kernel.addDisk("259:0", 2 ** 30);
  for (let count = 0; count < silent; count++)
    kernel.faults.push({ verb: "info", failure: silence });
  if (says === "no")
    kernel.faults.push({ verb: "load", failure: exitCode(1, "unknown target type") });
  const { dev, deviceNumberOf, tree, exec } = kernel;
  const world = new NodeWorld();
  const parts = {
    exec,
    kernel: { sysfs: tree.sysfs, dev, deviceNumberOf },
    runUdev: join(tree.root, "udev"),
    clock: world.clock,
  };
  const holds = new HostHolds(parts);
  const host = {
    ...world.host,
    get holds() {
      return holds.holds;
    },
  };
  return { kernel, world, host, holds, parts };
}

test("reasonAgainst() has none where holds can be made and outages end by themselves", () => {
  assert.equal(reasonAgainst({ missing: undefined, nativeMultipath: true }, true), undefined);
});

test("reasonAgainst() says what is missing, or that native multipath is off", () => {
  const missing = "Cannot make a hold: device-mapper is missing";
  assert.equal(reasonAgainst({ missing, nativeMultipath: true }, true), missing);
  assert.equal(
    reasonAgainst({ missing: undefined, nativeMultipath: false }, true),
    "native NVMe multipath is off",
  );
});

test("reasonAgainst() trusts the kernel's default as long as nvme-core is not loaded", () => {
  assert.equal(reasonAgainst({ missing: undefined, nativeMultipath: false }, false), undefined);
});

test("ask() takes the first definite answer for good", async () => {
  for (const says of ["yes", "no"] as const) {
    const { kernel, world, holds } = rig({ silent: 0, says });
    using _ = kernel;
    await holds.ask(world.ctx);
    await holds.settle(world.ctx);
    assert.deepEqual([holds.isKnown, holds.holds !== undefined], [true, says === "yes"]);
    assert.equal(kernel.verbs.filter((verb) => verb === "load").length, 1, "it is asked once");
    assert.equal(world.clock.slept, 0);
  }
});

test("settle() asks a dmsetup that is silent until it answers, ever more seldom", async () => {
  for (const says of ["yes", "no"] as const) {
    const { kernel, world, holds } = rig({ silent: 4, says });
    using _ = kernel;
    await holds.ask(world.ctx);
    assert.deepEqual([holds.isKnown, holds.holds !== undefined], [false, true]);
    await holds.settle(world.ctx);
    assert.deepEqual([holds.isKnown, holds.holds !== undefined], [true, says === "yes"]);
    assert.equal(world.clock.slept, 10_000 + 20_000 + 40_000 + 80_000);
  }
});

test("a volume that is to be held is refused while dmsetup is silent, and staged without a hold once it says no", async () => {
  const { kernel, world, host, holds } = rig({ silent: 1, says: "no" });
  using _ = kernel;
  const volume = world.attach("pvc-1");
  await holds.ask(world.ctx);
  kernel.faults.push({ verb: "create", failure: silence });
  await assert.rejects(stage(world.stageRequest(volume), host, world.ctx), {
    kind: "unavailable",
    message: /^Cannot hold "nqn.*pvc-1.*": dmsetup did not end within 10 s$/,
  });
  assert.equal(world.topmost(stagingPathOf(volume)), undefined);
  assert.equal(world.records.volumes.get("pvc-1"), undefined);
  assert.equal(world.kernel.controllers.size, 0);
  await holds.settle(world.ctx);
  await stage(world.stageRequest(volume), host, world.ctx);
  assert.equal(world.records.volumes.get("pvc-1")?.reconnect.mode, "remount");
});

test("holds of an earlier run are served while dmsetup is silent, and when it says no", async () => {
  const { kernel, world, holds, parts } = rig({ silent: 1, says: "no" });
  using _ = kernel;
  const nqn = "nqn.2000-02.com.mikrotik:pvc-a.1-abcdefgh" as Nqn;
  const earlier = new LinuxDeviceMapper({ dmsetup: new Dmsetup(kernel.exec), ...parts.kernel });
  const size = { sizeBytes: 2 ** 30, blockBytes: 4096 };
  await earlier.create({ nqn, path: "/dev/nvme0n1", majorMinor: "259:0", ...size }, world.ctx);
  await holds.ask(world.ctx);
  assert.equal((await holds.holds?.find(nqn, world.ctx))?.nqn, nqn);
  await holds.settle(world.ctx);
  assert.equal((await holds.holds?.find(nqn, world.ctx))?.nqn, nqn);
});

test("ask() keeps udev away from volumes also on a host that can make no holds", async () => {
  const { kernel, world, holds, parts } = rig({ silent: 0, says: "no" });
  using _ = kernel;
  mkdirSync(parts.runUdev);
  await holds.ask(world.ctx);
  assert.equal(holds.holds, undefined);
  assert.ok(existsSync(join(parts.runUdev, "rules.d/09-rds-csi.rules")));
});

test("settle() goes on asking after a failure that nobody foresaw", async () => {
  const { kernel, world, holds, parts } = rig({ silent: 1, says: "yes" });
  using _ = kernel;
  await holds.ask(world.ctx);
  const { sysfs } = parts.kernel;
  const { exists } = sysfs;
  sysfs.exists = () => {
    sysfs.exists = exists;
    throw new Error("EIO: i/o error");
  };
  await holds.settle(world.ctx);
  assert.equal(holds.isKnown, true);
  assert.equal(world.clock.slept, 10_000 + 20_000);
});
