import assert from "node:assert/strict";
import test from "node:test";
import { GiB } from "#lib/bytes.ts";
import {
  blockUse,
  mountUse,
  NodeWorld,
  stagingPathOf,
  targetPathOf,
} from "#test/fakes/node/node-world.ts";
import { publish } from "./publish.ts";
import { stage } from "./stage.ts";
import { unpublish } from "./unpublish.ts";
import { unstage } from "./unstage.ts";

async function published(use = mountUse()) {
  const world = new NodeWorld({ canHold: true });
  const volume = world.attach("pvc-1");
  await stage(world.stageRequest(volume, use), world.host, world.ctx);
  await publish(world.publishRequest(volume, "pod", use), world.host, world.ctx);
  return { world, volume, target: targetPathOf(volume, "pod") };
}

function recordOf(world: NodeWorld) {
  return world.records.volumes.get("pvc-1");
}

test("stage() mounts the hold, not the device, and its record says so", async () => {
  const { world, volume, target } = await published();
  const [staged] = world.mountsAt(stagingPathOf(volume));
  assert.deepEqual([staged?.source, staged?.majorMinor], ["/dev/dm-0", "253:0"]);
  assert.equal(world.mountsAt(target)[0]?.majorMinor, "253:0");
  assert.equal(volume.disk.content.kind, "filesystem");
  assert.equal(recordOf(world)?.reconnect.mode, "transparent");
  assert.equal(recordOf(world)?.blockBytes, 512);
});

test("publish() hands the hold's node to the pod of a raw block volume", async () => {
  const { world, target } = await published(blockUse());
  assert.equal(world.mountsAt(target)[0]?.root, "/dm-0");
  assert.equal(await world.devices.majorMinorOf(target, world.ctx), "253:0");
});

test("a pod's writes wait while the volume is away, and reach it under its new number", async () => {
  const { world, volume, target } = await published();
  world.write(target, "before", "1");
  world.kernel.drop(volume.nqn);
  world.write(target, "during", "2");
  assert.equal(volume.disk.files.has("during"), false);
  world.kernel.connect(volume.nqn);
  await world.heal(volume);
  world.write(target, "after", "3");
  assert.deepEqual([...volume.disk.files.keys()], ["before", "during", "after"]);
  assert.equal(world.kernel.find(volume.nqn)?.majorMinor, "259:1");
});

test("stage() again changes nothing, and takes its hold over after the plugin has lost its records", async () => {
  const { world, volume } = await published();
  for (const forget of [() => {}, () => world.records.volumes.clear()]) {
    forget();
    await stage(world.stageRequest(volume), world.host, world.ctx);
    assert.equal(world.kernel.holds.size, 1);
    assert.equal(world.kernel.mounts.length, 2);
    assert.equal(recordOf(world)?.phase, "staged");
  }
});

test("stage() makes no hold where none can be made, or where the StorageClass wants none", async () => {
  for (const [canHold, mode] of [
    [false, "transparent"],
    [true, "remount"],
  ] as const) {
    const world = new NodeWorld({ canHold });
    const volume = world.attach("pvc-1");
    const request = world.stageRequest(volume);
    const reconnect = { ...request.reconnect, mode };
    for (let count = 0; count < 2; count++)
      await stage({ ...request, reconnect }, world.host, world.ctx);
    assert.equal(world.kernel.holds.size, 0);
    assert.equal(world.topmost(stagingPathOf(volume))?.source, "/dev/nvme0n1");
    assert.equal(recordOf(world)?.reconnect.mode, "remount");
  }
});

test("stage() leaves a volume as it is that was staged before this node could hold", async () => {
  for (const use of [mountUse(), blockUse()]) {
    const world = new NodeWorld({ canHold: true });
    const volume = world.attach("pvc-1");
    const request = world.stageRequest(volume, use);
    await stage(request, { ...world.host, holds: undefined }, world.ctx);
    await publish(world.publishRequest(volume, "pod", use), world.host, world.ctx);
    await stage(request, world.host, world.ctx);
    assert.equal(world.kernel.holds.size, 0);
    assert.equal(recordOf(world)?.reconnect.mode, "remount");
    world.kernel.reboot();
    await stage(request, world.host, world.ctx);
    assert.equal(world.kernel.holds.size, 1, "the next life begins with a hold");
    assert.equal(recordOf(world)?.reconnect.mode, "transparent");
  }
});

test("stage() resumes a hold whose change was interrupted", async () => {
  const { world, volume } = await published();
  const hold = world.kernel.holds.get(volume.nqn);
  assert.ok(hold);
  hold.isSuspended = true;
  await stage(world.stageRequest(volume), world.host, world.ctx);
  assert.equal(hold.isSuspended, false);
});

test("stage() waits for a hold in use to follow its volume, and makes an unused one anew", async () => {
  const { world, volume, target } = await published();
  world.kernel.restore(volume.nqn, { renumbered: true });
  await assert.rejects(stage(world.stageRequest(volume), world.host, world.ctx), {
    kind: "unavailable",
    message: `Cannot stage "${volume.nqn}" on "/dev/nvme1n1" (259:1): its hold "/dev/dm-0" is in use and has not been put on it yet`,
  });
  world.kernel.mounts = world.kernel.mounts.filter((mount) => mount.target !== target).slice(1);
  await stage(world.stageRequest(volume), world.host, world.ctx);
  assert.equal(world.kernel.holds.get(volume.nqn)?.under.majorMinor, "259:1");
});

test("stage() that fails leaves connection and record to a hold in use that was left elsewhere", async () => {
  const { world, volume } = await published();
  const record = recordOf(world);
  assert.ok(record);
  world.records.volumes.set("pvc-1", { ...record, phase: "connecting" });
  world.kernel.restore(volume.nqn, { renumbered: true });
  await assert.rejects(stage(world.stageRequest(volume), world.host, world.ctx), {
    kind: "unavailable",
  });
  assert.equal(world.kernel.controllers.size, 1);
  assert.ok(recordOf(world));
  await world.heal(volume);
  await stage(world.stageRequest(volume), world.host, world.ctx);
  assert.equal(recordOf(world)?.phase, "staged");
});

/** Staging was cut short by an outage while a tool had the hold open; the device is back under another number. */
async function cutShort() {
  const world = new NodeWorld({ canHold: true });
  const volume = world.attach("pvc-1");
  await stage(world.stageRequest(volume), world.host, world.ctx);
  const record = recordOf(world);
  const hold = world.kernel.holds.get(volume.nqn);
  assert.ok(record && hold);
  world.records.volumes.set("pvc-1", { ...record, phase: "connecting" });
  world.kernel.mounts = [];
  hold.toolWaits = true;
  world.kernel.restore(volume.nqn, { renumbered: true });
  return { world, volume };
}

test("stage() ends the wait of a tool that an earlier call has left in the hold, and makes that anew", async () => {
  const { world, volume } = await cutShort();
  await stage(world.stageRequest(volume), world.host, world.ctx);
  assert.equal(world.kernel.holds.get(volume.nqn)?.under.majorMinor, "259:1");
  assert.equal(recordOf(world)?.phase, "staged");
  assert.deepEqual(world.kernel.damage, []);
});

test("unstage() of a volume that was never staged ends the wait of a tool in its hold", async () => {
  const { world, volume } = await cutShort();
  const stagingPath = stagingPathOf(volume);
  await unstage({ volumeId: "pvc-1", stagingPath }, world.host, world.ctx);
  assert.equal(world.kernel.holds.size, 0);
  assert.equal(world.kernel.controllers.size, 0);
  assert.equal(recordOf(world), undefined);
});

test("stage() never ends the queue of a raw block volume that a pod has open without a mount", async () => {
  const { world, volume } = await published(blockUse());
  const hold = world.kernel.holds.get(volume.nqn);
  assert.ok(hold);
  hold.toolWaits = true;
  world.kernel.mounts = [];
  world.kernel.restore(volume.nqn, { renumbered: true });
  await assert.rejects(stage(world.stageRequest(volume, blockUse()), world.host, world.ctx), {
    kind: "unavailable",
  });
  assert.equal(world.kernel.holds.get(volume.nqn)?.isQueueing, true);
});

test("stage() grows the hold of a volume that has become larger, and its file system", async () => {
  const { world, volume } = await published();
  await unpublish(
    { volumeId: "pvc-1", targetPath: targetPathOf(volume, "pod") },
    world.host,
    world.ctx,
  );
  world.kernel.mounts = [];
  volume.disk.sizeBytes = 3 * GiB;
  await stage(world.stageRequest(volume), world.host, world.ctx);
  assert.equal(world.kernel.holds.get(volume.nqn)?.sizeBytes, 3 * GiB);
  assert.equal(volume.disk.filesystemBytes, 3 * GiB);
});

test("stage() refuses to hold a device that lies under something else", async () => {
  const world = new NodeWorld({ canHold: true });
  const volume = world.attach("pvc-1");
  world.kernel.holders.set("259:0", ["dm-7"]);
  await assert.rejects(stage(world.stageRequest(volume), world.host, world.ctx), {
    kind: "failed-precondition",
  });
  assert.equal(world.kernel.holds.size, 0);
  assert.equal(volume.disk.content.kind, "blank");
});

test("stage() by another NQN ends the old hold: none of its waiting writes reaches the volume", async () => {
  const world = new NodeWorld({ canHold: true });
  const volume = world.attach("pvc-1");
  await stage(world.stageRequest(volume), world.host, world.ctx);
  const old = volume.nqn;
  world.moveAway(volume);
  world.kernel.lose(old);
  world.write(stagingPathOf(volume), "stale", "queued here");
  volume.disk.files.set("precious", "written by another node");
  world.moveBack(volume);
  await stage(world.stageRequest(volume), world.host, world.ctx);
  assert.deepEqual([...volume.disk.files], [["precious", "written by another node"]]);
  assert.deepEqual([...world.kernel.holds.keys()], [volume.nqn]);
  assert.deepEqual([...world.kernel.controllers.keys()], [volume.nqn]);
  assert.equal(world.mountsAt(stagingPathOf(volume)).length, 1);
  assert.equal(world.clock.slept, 0, "nobody waits for an NQN that is gone for ever");
});

test("stage() begins anew when the hold has ended and no pod has it, and refuses while one has", async () => {
  const { world, volume, target } = await published();
  await world.holds.failQueue(volume.nqn, world.ctx);
  await assert.rejects(stage(world.stageRequest(volume), world.host, world.ctx), {
    kind: "failed-precondition",
    message: `Cannot stage volume "pvc-1" while it is here with a hold that has ended: Cannot unstage volume "pvc-1": it is still mounted at "${target}"`,
  });
  await unpublish({ volumeId: "pvc-1", targetPath: target }, world.host, world.ctx);
  await stage(world.stageRequest(volume), world.host, world.ctx);
  assert.equal(world.kernel.holds.get(volume.nqn)?.isQueueing, true);
  await unstage({ volumeId: "pvc-1", stagingPath: stagingPathOf(volume) }, world.host, world.ctx);
  assert.equal(world.kernel.holds.size, 0);
});

test("publish() refuses during an outage, and until the hold has followed its volume", async () => {
  const { world, volume } = await published();
  world.kernel.drop(volume.nqn);
  const request = world.publishRequest(volume, "other");
  await assert.rejects(publish(request, world.host, world.ctx), { kind: "unavailable" });
  world.kernel.connect(volume.nqn);
  await assert.rejects(publish(request, world.host, world.ctx), {
    kind: "unavailable",
    message: `Cannot use "/dev/dm-0", the hold of "${volume.nqn}": it has not been put on "/dev/nvme1n1" (259:1) yet`,
  });
  await world.heal(volume);
  await publish(request, world.host, world.ctx);
  assert.equal(world.mountsAt(request.targetPath)[0]?.majorMinor, "253:0");
});
