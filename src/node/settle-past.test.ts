import assert from "node:assert/strict";
import test from "node:test";
import {
  blockUse,
  mountUse,
  NodeWorld,
  stagingPathOf,
  targetPathOf,
} from "#test/fakes/node/node-world.ts";
import { publish } from "./publish.ts";
import { stage } from "./stage.ts";

test("stage() takes down what an earlier epoch left before it uses the new one", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  await stage(world.stageRequest(volume), world.host, world.ctx);
  const old = volume.nqn;
  world.moveAway(volume);
  world.kernel.drop(old);
  volume.disk.files.set("precious", "written by another node");
  world.moveBack(volume);
  await stage(world.stageRequest(volume), world.host, world.ctx);
  const [mount, ...others] = world.mountsAt(stagingPathOf(volume));
  assert.deepEqual(others, []);
  assert.equal(mount?.majorMinor, world.kernel.find(volume.nqn)?.majorMinor);
  assert.equal(world.kernel.controllers.has(old), false);
  assert.equal(world.records.volumes.get("pvc-1")?.target.nqn, volume.nqn);
  assert.equal(volume.disk.files.get("precious"), "written by another node");
});

test("stage() discards what waits for an epoch that is over, when the kernel does not give up", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  await stage(world.stageRequest(volume), world.host, world.ctx);
  const old = volume.nqn;
  world.moveAway(volume);
  world.kernel.lose(old);
  world.moveBack(volume);
  await stage(world.stageRequest(volume), world.host, world.ctx);
  assert.deepEqual([...world.kernel.controllers.keys()], [volume.nqn]);
  assert.equal(world.mountsAt(stagingPathOf(volume)).length, 1);
  assert.ok(world.warnings.includes("Discarding unwritten data of an attachment that has ended"));
});

for (const canHold of [true, false])
  test(`stage() writes nothing over the connection of an epoch that is over and still looks alive, ${canHold ? "with" : "without"} a hold`, async () => {
    const world = new NodeWorld({ canHold });
    const volume = world.attach("pvc-1");
    await stage(world.stageRequest(volume), world.host, world.ctx);
    const old = volume.nqn;
    const { mounts, kernel } = world;
    const unmount = mounts.unmount.bind(mounts);
    mounts.unmount = async (...call) => {
      assert.equal(kernel.controllers.has(old), false, "an unmount writes back");
      await unmount(...call);
    };
    // the appliance does not cut the old one off
    world.moveBack(volume);
    await stage(world.stageRequest(volume), world.host, world.ctx);
    assert.deepEqual([...kernel.controllers.keys()], [volume.nqn]);
    assert.equal(world.mountsAt(stagingPathOf(volume)).length, 1);
    assert.ok(world.warnings.includes("Discarding unwritten data of an attachment that has ended"));
  });

test("stage() takes away the half-made hold of an epoch that is over and still looks alive", async () => {
  const world = new NodeWorld({ canHold: true });
  const volume = world.attach("pvc-1");
  await stage(world.stageRequest(volume, blockUse()), world.host, world.ctx);
  world.kernel.holds.clear();
  world.kernel.halfHolds.add(volume.nqn);
  world.moveBack(volume);
  await stage(world.stageRequest(volume, blockUse()), world.host, world.ctx);
  assert.equal(world.kernel.halfHolds.size, 0);
  assert.deepEqual([...world.kernel.controllers.keys()], [volume.nqn]);
});

test("stage() refuses another epoch while a pod still has the old one", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  await stage(world.stageRequest(volume), world.host, world.ctx);
  await publish(world.publishRequest(volume, "pod"), world.host, world.ctx);
  const old = volume.nqn;
  world.moveAway(volume);
  world.kernel.drop(old);
  world.moveBack(volume);
  await assert.rejects(stage(world.stageRequest(volume), world.host, world.ctx), {
    kind: "failed-precondition",
    message: `Cannot stage volume "pvc-1" while it is here with another NQN, "${old}": Cannot unstage volume "pvc-1": it is still mounted at "${targetPathOf(volume, "pod")}"`,
  });
  assert.equal(world.records.volumes.get("pvc-1")?.target.nqn, old);
  assert.equal(world.kernel.controllers.has(volume.nqn), false);
});

test("stage() answers already-exists for another capability or path", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  await stage(world.stageRequest(volume), world.host, world.ctx);
  for (const request of [
    world.stageRequest(volume, mountUse("single-node-writer", "xfs")),
    world.stageRequest(volume, mountUse("single-node-reader-only")),
    world.stageRequest(volume, mountUse("single-node-writer", "ext4", ["noatime"])),
    world.stageRequest(volume, blockUse()),
    { ...world.stageRequest(volume), stagingPath: "/elsewhere" },
  ])
    await assert.rejects(stage(request, world.host, world.ctx), { kind: "already-exists" });
  await stage(
    world.stageRequest(volume, mountUse("single-node-multi-writer")),
    world.host,
    world.ctx,
  );
  assert.equal(world.kernel.mounts.length, 1);
});

test("stage() adopts the right mount when the record is lost, and refuses a wrong one", async () => {
  const world = new NodeWorld();
  const [volume, other] = [world.attach("pvc-1"), world.attach("pvc-2")];
  await stage(world.stageRequest(volume), world.host, world.ctx);
  world.records.volumes.clear();
  await stage(world.stageRequest(volume), world.host, world.ctx);
  assert.equal(world.records.volumes.get("pvc-1")?.phase, "staged");
  assert.equal(world.kernel.mounts.length, 1);

  const request = { ...world.stageRequest(other), stagingPath: stagingPathOf(volume) };
  await assert.rejects(stage(request, world.host, world.ctx), { kind: "failed-precondition" });
  assert.equal(world.topmost(stagingPathOf(volume))?.source, "/dev/nvme0n1");
  assert.equal(other.disk.content.kind, "blank");
});

test("stage() mounts anew when the device came back with another number and no pod has the old one", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  await stage(world.stageRequest(volume), world.host, world.ctx);
  world.kernel.restore(volume.nqn, { renumbered: true });
  await stage(world.stageRequest(volume), world.host, world.ctx);
  assert.equal(world.mountsAt(stagingPathOf(volume)).length, 1);
  assert.equal(world.topmost(stagingPathOf(volume))?.majorMinor, "259:1");
});
