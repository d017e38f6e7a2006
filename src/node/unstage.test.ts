import assert from "node:assert/strict";
import test from "node:test";
import { MemoryInitiator } from "#test/fakes/node/memory-initiator.ts";
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

async function staged(use = mountUse()) {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  await stage(world.stageRequest(volume, use), world.host, world.ctx);
  const stagingPath = stagingPathOf(volume);
  return { world, volume, stagingPath, request: { volumeId: "pvc-1", stagingPath } };
}

test("unstage() leaves neither mount nor connection nor record, and succeeds again", async () => {
  const { world, volume, stagingPath, request } = await staged();
  world.write(stagingPath, "precious", "data");
  await unstage(request, world.host, world.ctx);
  await unstage(request, world.host, world.ctx);
  assert.deepEqual(world.kernel.mounts, []);
  assert.equal(world.kernel.controllers.size, 0);
  assert.equal(world.records.volumes.size, 0);
  assert.equal(volume.disk.files.get("precious"), "data");
  assert.deepEqual(world.kernel.damage, []);
});

test("unstage() fails when the controller does not go, and keeps the record (pitfall 5)", async () => {
  const { world, request } = await staged();
  world.kernel.keepsControllers = true;
  await assert.rejects(unstage(request, world.host, world.ctx), { kind: "unavailable" });
  assert.equal(world.records.volumes.size, 1);
  world.kernel.keepsControllers = false;
  await unstage(request, world.host, world.ctx);
  assert.equal(world.kernel.controllers.size, 0);
  assert.equal(world.records.volumes.size, 0);
});

test("unstage() refuses while a pod has the volume, mounted or as raw block device", async () => {
  for (const use of [mountUse(), blockUse()]) {
    const { world, volume, request } = await staged(use);
    await publish(world.publishRequest(volume, "pod", use), world.host, world.ctx);
    const target = targetPathOf(volume, "pod");
    await assert.rejects(unstage(request, world.host, world.ctx), {
      kind: "failed-precondition",
      message: `Cannot unstage volume "pvc-1": it is still mounted at "${target}"`,
    });
    assert.equal(world.kernel.controllers.size, 1);
    assert.equal(world.mountsAt(target).length, 1);
    await unpublish({ volumeId: "pvc-1", targetPath: target }, world.host, world.ctx);
    await unstage(request, world.host, world.ctx);
    assert.equal(world.kernel.controllers.size, 0);
  }
});

test("unstage() takes a device node that a killed bind left over itself for no pod", async () => {
  const { world, volume, request } = await staged(blockUse());
  await publish(world.publishRequest(volume, "pod", blockUse()), world.host, world.ctx);
  const targetPath = targetPathOf(volume, "pod");
  const node = world.topmost(targetPath);
  assert.ok(node);
  await unpublish({ volumeId: "pvc-1", targetPath }, world.host, world.ctx);
  world.kernel.mounts.push({ ...node, target: "/dev/nvme0n1" });
  await unstage(request, world.host, world.ctx);
  assert.equal(world.kernel.controllers.size, 0);
});

test("unstage() sees pods by the staged mount even when the device is gone", async () => {
  const { world, volume, request } = await staged();
  await publish(world.publishRequest(volume, "pod"), world.host, world.ctx);
  world.kernel.lose(volume.nqn);
  await assert.rejects(unstage(request, world.host, world.ctx), { kind: "failed-precondition" });
  assert.equal(world.kernel.mounts.length, 2);
  assert.equal(world.kernel.controllers.size, 1);
});

test("unstage() refuses while another device is stacked on the volume", async () => {
  const { world, request } = await staged(blockUse());
  world.kernel.holders.set("259:0", ["dm-7"]);
  await assert.rejects(unstage(request, world.host, world.ctx), {
    kind: "unavailable",
    message: 'Cannot unstage volume "pvc-1": "/dev/nvme0n1" is held by "dm-7"',
  });
  assert.equal(world.kernel.controllers.size, 1);
});

test("unstage() waits for an outage to end, since unmounting writes back what is dirty", async () => {
  const { world, volume, stagingPath, request } = await staged();
  world.kernel.lose(volume.nqn);
  await assert.rejects(unstage(request, world.host, world.ctx), {
    kind: "unavailable",
    message: /the connection to ".*" is lost, and data not written back waits for it/,
  });
  assert.equal(world.kernel.controllers.size, 1);
  assert.deepEqual(world.mountsAt(stagingPath), [], "the table does not show that it waits");
  await assert.rejects(unstage(request, world.host, world.ctx), { kind: "unavailable" });
  assert.equal(world.kernel.controllers.size, 1, "kubelet's next call does not see the mount");
  assert.ok(world.records.volumes.has(volume.volumeId));
  world.kernel.restore(volume.nqn, { renumbered: false });
  await unstage(request, world.host, world.ctx);
  assert.equal(world.kernel.controllers.size, 0);
});

test("unstage() leaves the connection of a file system that is not in the mount table and not let go of", async () => {
  const { world, volume, request } = await staged();
  const device = world.kernel.controllers.get(volume.nqn)?.device;
  assert.ok(device);
  world.kernel.claims.add(device);
  await assert.rejects(unstage(request, world.host, world.ctx), {
    kind: "unavailable",
    message: /Cannot unstage volume "pvc-1": somebody has "\/dev\/nvme0n1" to himself/,
  });
  assert.ok(world.kernel.isLive(device));
  world.kernel.claims.clear();
  await unstage(request, world.host, world.ctx);
  assert.equal(world.kernel.controllers.size, 0);
});

test("unstage() cleans up a mount whose device is gone, busy or not (pitfall 24)", async () => {
  for (const isBusy of [false, true]) {
    const { world, volume, stagingPath, request } = await staged();
    world.kernel.drop(volume.nqn);
    if (isBusy) world.kernel.busy.add(stagingPath);
    await unstage(request, world.host, world.ctx);
    assert.deepEqual(world.kernel.mounts, []);
    assert.equal(world.records.volumes.size, 0);
  }
});

test("unstage() disconnects no NQN but the one in its own record (pitfall 9)", async () => {
  const { world, volume, stagingPath, request } = await staged();
  const root = world.attach("host-root-disk");
  world.kernel.connect(root.nqn);
  world.records.volumes.clear();
  await unstage(request, world.host, world.ctx);
  assert.deepEqual(world.mountsAt(stagingPath), [], "the staging path is its own business");
  assert.ok(world.kernel.controllers.has(volume.nqn), "an NQN is never guessed");
  assert.ok(world.kernel.controllers.has(root.nqn));
});

test("unstage() without a record leaves a staging path whose file system a pod has", async () => {
  const { world, volume, request } = await staged();
  await publish(world.publishRequest(volume, "pod"), world.host, world.ctx);
  world.records.volumes.clear();
  await assert.rejects(unstage(request, world.host, world.ctx), { kind: "failed-precondition" });
  assert.equal(world.kernel.mounts.length, 2);
});

test("unstage() clears both paths when it is called with another one than was staged", async () => {
  const { world, volume, stagingPath } = await staged();
  const mount = world.topmost(stagingPath);
  assert.ok(mount);
  world.kernel.mounts.push({ ...mount, target: "/elsewhere" });
  await unstage({ volumeId: "pvc-1", stagingPath: "/elsewhere" }, world.host, world.ctx);
  assert.deepEqual(world.kernel.mounts, []);
  assert.equal(world.kernel.controllers.has(volume.nqn), false);
});

/** Says that it has disconnected, and has not: what nvme-cli did to another driver. */
class LyingInitiator extends MemoryInitiator {
  override async disconnect(): Promise<void> {}
}

test("unstage() believes what the kernel shows, not what disconnect says (pitfall 5)", async () => {
  const { world, request } = await staged();
  const host = { ...world.host, initiator: new LyingInitiator(world.kernel) };
  await assert.rejects(unstage(request, host, world.ctx), { kind: "unavailable" });
  assert.equal(world.records.volumes.size, 1);
});
