import assert from "node:assert/strict";
import test from "node:test";
import type { Nqn } from "#domain/nqn.ts";
import { GiB } from "#lib/bytes.ts";
import { FakeDisk } from "#test/fakes/node/fake-disk.ts";
import {
  type AttachedVolume,
  blockUse,
  mountUse,
  NodeWorld,
  stagingPathOf,
  targetPathOf,
} from "#test/fakes/node/node-world.ts";
import { publish } from "./publish.ts";
import { stage } from "./stage.ts";
import { unstage } from "./unstage.ts";

const warning =
  "Ending the hold of a volume that is not there: what was not written back is discarded";

async function staged(use = mountUse()) {
  const world = new NodeWorld({ canHold: true });
  const volume = world.attach("pvc-1");
  await stage(world.stageRequest(volume, use), world.host, world.ctx);
  const stagingPath = stagingPathOf(volume);
  return { world, volume, stagingPath, request: { volumeId: "pvc-1", stagingPath } };
}

function assertGone(world: NodeWorld): void {
  assert.deepEqual(world.kernel.damage, []);
  assert.deepEqual(world.kernel.mounts, []);
  assert.equal(world.kernel.holds.size, 0);
  assert.equal(world.kernel.controllers.size, 0);
  assert.equal(world.records.volumes.size, 0);
}

test("unstage() takes away a hold that was cut short while it was made, which shows only on the device", async () => {
  const { world, volume, request } = await staged(blockUse());
  world.kernel.holds.clear();
  world.kernel.halfHolds.add(volume.nqn);
  await unstage(request, world.host, world.ctx);
  assert.equal(world.kernel.halfHolds.size, 0);
  assertGone(world);
});

test("unstage() leaves no hold, and discards nothing", async () => {
  for (const use of [mountUse(), blockUse()]) {
    const { world, volume, stagingPath, request } = await staged(use);
    if (use.access.type === "mount") world.write(stagingPath, "precious", "data");
    world.health.report("pvc-1", { state: "connected", message: "fine" });
    await unstage(request, world.host, world.ctx);
    await unstage(request, world.host, world.ctx);
    assertGone(world);
    assert.equal(volume.disk.files.size, use.access.type === "mount" ? 1 : 0);
    assert.equal(world.health.conditionOf("pvc-1"), undefined);
    assert.deepEqual(world.warnings, []);
  }
});

/** The target is back as soon as somebody waits for it. */
function returnsMeanwhile(world: NodeWorld, volume: AttachedVolume): void {
  const { sleep } = world.clock;
  world.clock.sleep = async (milliseconds, signal) => {
    world.kernel.restore(volume.nqn, { renumbered: false });
    await sleep.call(world.clock, milliseconds, signal);
  };
}

test("unstage() resumes a parked hold whose device is back, and loses nothing", async () => {
  const { world, volume, request } = await staged();
  const hold = world.kernel.holds.get(volume.nqn) ?? assert.fail();
  hold.isSuspended = true;
  await unstage(request, world.host, world.ctx);
  assert.equal(hold.isSuspended, false);
  assertGone(world);
});

test("unstage() waits for a short outage to end, and loses nothing", async () => {
  const { world, volume, stagingPath, request } = await staged();
  world.kernel.lose(volume.nqn);
  world.write(stagingPath, "precious", "data");
  returnsMeanwhile(world, volume);
  await unstage(request, world.host, world.ctx);
  assertGone(world);
  assert.equal(volume.disk.files.get("precious"), "data");
  assert.deepEqual(world.warnings, []);
});

test("unstage() waits as long for a volume when somebody sets the date forward meanwhile, and discards nothing", async () => {
  const { world, volume, stagingPath, request } = await staged();
  world.kernel.lose(volume.nqn);
  world.write(stagingPath, "precious", "data");
  const { sleep } = world.clock;
  world.clock.sleep = async (milliseconds, signal) => {
    if (world.clock.slept === 0) world.clock.setDateBy(24 * 3_600_000);
    if (world.clock.slept === 4_000) world.kernel.restore(volume.nqn, { renumbered: false });
    await sleep.call(world.clock, milliseconds, signal);
  };
  await unstage(request, world.host, world.ctx);
  assertGone(world);
  assert.equal(volume.disk.files.get("precious"), "data");
  assert.deepEqual(world.warnings, []);
});

test("unstage() ends the hold of a volume that stays away, in bounded time, and says what is lost", async () => {
  for (const end of ["lose", "drop"] as const) {
    const { world, volume, stagingPath, request } = await staged();
    world.moveAway(volume);
    world.kernel[end](volume.nqn);
    world.write(stagingPath, "unwritten", "data");
    await unstage(request, world.host, world.ctx);
    assertGone(world);
    assert.equal(volume.disk.files.has("unwritten"), false);
    assert.deepEqual(world.warnings, [warning]);
    assert.ok(world.clock.slept >= 5_000 && world.clock.slept < 10_000);
  }
});

test("unstage() asks for a volume that is back and does not show by itself, and discards nothing of it", async () => {
  const returns = {
    "under another identity": (world: NodeWorld, nqn: Nqn) => {
      world.kernel.drop(nqn);
      world.kernel.hidesNamespaces = true;
      world.kernel.connect(nqn);
    },
    "after the kernel gave up": (world: NodeWorld, nqn: Nqn) => world.kernel.drop(nqn),
  };
  for (const [how, comeBack] of Object.entries(returns)) {
    const { world, volume, stagingPath, request } = await staged();
    comeBack(world, volume.nqn);
    world.write(stagingPath, "precious", "data");
    await assert.rejects(unstage(request, world.host, world.ctx), {
      kind: "unavailable",
      message: /it came back as .*, and its hold "\/dev\/dm-0" has not been put on it yet$/,
    });
    await world.heal(volume);
    await unstage(request, world.host, world.ctx);
    assertGone(world);
    assert.equal(volume.disk.files.get("precious"), "data", how);
    assert.deepEqual(world.warnings, []);
  }
});

test("unstage() removes a hold at once that nobody uses, also during an outage", async () => {
  const { world, volume, request } = await staged(blockUse());
  world.kernel.lose(volume.nqn);
  await unstage(request, world.host, world.ctx);
  assertGone(world);
  assert.equal(world.clock.slept, 0);
  assert.deepEqual(world.warnings, []);
});

/** With another file system on it. */
function impostor(): FakeDisk {
  const disk = new FakeDisk(GiB);
  disk.format("ext4");
  disk.format("ext4");
  return disk;
}

const refused = { state: "refused", message: "another file system" } as const;

test("unstage() lets a volume that is back get its hold first, whatever the watch found before that", async () => {
  const { world, volume, stagingPath, request } = await staged();
  world.kernel.drop(volume.nqn);
  world.write(stagingPath, "precious", "data");
  world.kernel.connect(volume.nqn);
  world.health.report("pvc-1", refused);
  await assert.rejects(unstage(request, world.host, world.ctx), {
    kind: "unavailable",
    message:
      'Cannot unstage volume "pvc-1": it came back as "/dev/nvme1n1" (259:1), and its hold "/dev/dm-0" has not been put on it yet',
  });
  await world.heal(volume);
  await unstage(request, world.host, world.ctx);
  assertGone(world);
  assert.equal(volume.disk.files.get("precious"), "data");
  assert.deepEqual(world.warnings, []);
});

test("unstage() waits for a volume that is away, although the watch had refused what was there before", async () => {
  const { world, volume, stagingPath, request } = await staged();
  world.kernel.lose(volume.nqn);
  world.write(stagingPath, "precious", "data");
  world.health.report("pvc-1", refused);
  returnsMeanwhile(world, volume);
  await unstage(request, world.host, world.ctx);
  assertGone(world);
  assert.equal(volume.disk.files.get("precious"), "data");
});

test("unstage() discards what waits for a volume in whose place the watch too has seen something else, and writes nothing to that", async () => {
  const { world, volume, stagingPath, request } = await staged();
  const other = impostor();
  world.kernel.drop(volume.nqn);
  world.write(stagingPath, "unwritten", "data");
  world.kernel.exports.set(volume.nqn, other);
  world.kernel.connect(volume.nqn);
  await assert.rejects(unstage(request, world.host, world.ctx), {
    kind: "unavailable",
    message: /has not been put on it yet: .*UUID/,
  });
  assert.equal(world.kernel.holds.get(volume.nqn)?.isQueueing, true, "one look is not enough");
  world.health.report("pvc-1", refused);
  await unstage(request, world.host, world.ctx);
  assertGone(world);
  assert.equal(other.files.size, 0);
  assert.deepEqual(world.warnings, ["What came back is not the volume", warning]);
  assert.equal(world.clock.slept, 0);
});

test("unstage() discards nothing upon a look at something else that the volume replaced meanwhile", async () => {
  const { world, volume, stagingPath, request } = await staged();
  world.kernel.drop(volume.nqn);
  world.write(stagingPath, "precious", "data");
  world.kernel.exports.set(volume.nqn, impostor());
  world.kernel.connect(volume.nqn);
  const { inspect } = world.filesystems;
  world.filesystems.inspect = async (path, ctx) => {
    const content = await inspect.call(world.filesystems, path, ctx);
    world.kernel.disconnect(volume.nqn);
    world.kernel.exports.set(volume.nqn, volume.disk);
    return content;
  };
  await assert.rejects(unstage(request, world.host, world.ctx), { kind: "unavailable" });
  world.kernel.connect(volume.nqn);
  await world.heal(volume);
  await unstage(request, world.host, world.ctx);
  assertGone(world);
  assert.equal(volume.disk.files.get("precious"), "data");
});

test("unstage() detaches a mount of an ended hold that is busy, and fails while it is in use", async () => {
  const { world, volume, stagingPath, request } = await staged();
  world.kernel.lose(volume.nqn);
  world.kernel.busy.add(stagingPath);
  await unstage(request, world.host, world.ctx);
  assertGone(world);
  assert.ok(world.warnings.includes("Detaching a mount that is busy and has no disk"));
});

test("unstage() refuses while a pod has the hold, mounted or as raw block device, also in an outage", async () => {
  for (const use of [mountUse(), blockUse()])
    for (const isAway of [false, true]) {
      const { world, volume, request } = await staged(use);
      await publish(world.publishRequest(volume, "pod", use), world.host, world.ctx);
      if (isAway) world.kernel.lose(volume.nqn);
      await assert.rejects(unstage(request, world.host, world.ctx), {
        kind: "failed-precondition",
        message: `Cannot unstage volume "pvc-1": it is still mounted at "${targetPathOf(volume, "pod")}"`,
      });
      assert.equal(world.kernel.holds.get(volume.nqn)?.isQueueing, true);
    }
});

test("unstage() refuses while another device is stacked on the hold", async () => {
  for (const isAway of [false, true]) {
    const { world, volume, request } = await staged(blockUse());
    world.kernel.holders.set("253:0", ["dm-7"]);
    if (isAway) world.kernel.lose(volume.nqn);
    await assert.rejects(unstage(request, world.host, world.ctx), {
      kind: "unavailable",
      message: 'Cannot unstage volume "pvc-1": "/dev/dm-0" is held by "dm-7"',
    });
    assert.equal(world.kernel.holds.size, 1);
  }
});
