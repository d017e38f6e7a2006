import assert from "node:assert/strict";
import test from "node:test";
import { DriverError } from "#domain/errors.ts";
import { publish } from "#node/publish.ts";
import { stage } from "#node/stage.ts";
import { stats } from "#node/stats.ts";
import { unpublish } from "#node/unpublish.ts";
import { unstage } from "#node/unstage.ts";
import type { Fault } from "#test/fakes/node/fault-plan.ts";
import {
  type AttachedVolume,
  blockUse,
  mountUse,
  stagingPathOf,
  targetPathOf,
} from "#test/fakes/node/node-world.ts";
import { stateOf } from "#test/fakes/watch/in-use.ts";
import { WatchedWorld } from "#test/fakes/watch/watched-world.ts";
import { Watch } from "./watch.ts";

type Use = ReturnType<typeof mountUse>;

/** A volume without hold, with a pod that writes and one that only reads, seen well. */
async function used(use: Use = mountUse(), world = new WatchedWorld({ canHold: false })) {
  const volume = world.attach("pvc-a");
  if (use.accessMode.endsWith("reader-only")) volume.disk.format("ext4");
  await stage(world.stageRequest(volume, use), world.host, world.ctx);
  await publish(world.publishRequest(volume, "pod", use), world.host, world.ctx);
  if (use.access.type === "mount") {
    const reader = { ...world.publishRequest(volume, "reader", use), readOnly: true };
    await publish(reader, world.host, world.ctx);
  }
  await world.pass(1_500);
  assert.equal(stateOf(world, volume), "connected");
  const [pod, reader] = [targetPathOf(volume, "pod"), targetPathOf(volume, "reader")];
  return { world, volume, pod, reader };
}

/** The kernel gives up, and the target is back some seconds later. */
async function outage(world: WatchedWorld, { nqn, disk }: AttachedVolume): Promise<void> {
  world.kernel.exports.delete(nqn);
  world.kernel.drop(nqn);
  await world.pass(5_000);
  world.kernel.exports.set(nqn, disk);
  await world.pass(10_000);
}

function assertShown({ world, volume, pod, reader }: Awaited<ReturnType<typeof used>>): void {
  const device = world.kernel.controllers.get(volume.nqn)?.device;
  assert.ok(device);
  assert.equal(world.mountsAt(stagingPathOf(volume)).length, 1);
  for (const path of [stagingPathOf(volume), pod, reader])
    assert.equal(world.topmost(path)?.device, device);
  world.write(pod, "after", "");
  assert.ok(volume.disk.files.has("after"));
  assert.throws(() => world.write(reader, "wrong", ""), { message: "EROFS" });
  assert.deepEqual(world.topmost(pod)?.options, ["rw", "nosuid", "nodev"]);
  assert.deepEqual(world.topmost(reader)?.options, ["rw", "nosuid", "nodev", "ro"]);
  assert.deepEqual(world.kernel.damage, []);
}

for (const fsType of ["ext4", "xfs", "btrfs"] as const)
  test(`remount() shows ${fsType} to all pods again, not at the staging path only, over the dead mount, and read-only as before (pitfall 22)`, async () => {
    const setup = await used(mountUse("single-node-writer", fsType));
    const { world, volume, pod } = setup;
    const dead = world.topmost(pod)?.device;
    await outage(world, volume);
    assertShown(setup);
    assert.deepEqual(
      world.mountsAt(pod).map((mount) => "device" in mount && mount.device === dead),
      [true, false],
      "the dead mount stays below: containers that follow the host's mounts hang on it",
    );
  });

test("remount() stacks no more than one mount over the first dead one, however many outages there are", async () => {
  const setup = await used();
  const { world, volume, pod } = setup;
  for (let count = 0; count < 3; count++) await outage(world, volume);
  await publish(world.publishRequest(volume, "late"), world.host, world.ctx);
  await outage(world, volume);
  assertShown(setup);
  for (const path of [pod, targetPathOf(volume, "late")])
    assert.equal(world.mountsAt(path).length, 2);
  for (const name of ["pod", "reader", "late"])
    await unpublish(
      { volumeId: "pvc-a", targetPath: targetPathOf(volume, name) },
      world.host,
      world.ctx,
    );
  const request = { volumeId: "pvc-a", stagingPath: stagingPathOf(volume) };
  await unstage(request, world.host, world.ctx);
  assert.deepEqual(world.kernel.mounts, []);
  assert.equal(world.records.volumes.size, 0);
});

/** A volume whose device has just been replaced, and what the watch does about it, struck or not. */
async function struck(fault?: Fault) {
  const setup = await used();
  const { world, volume } = setup;
  world.kernel.drop(volume.nqn);
  world.kernel.connect(volume.nqn);
  world.faults.arm(fault);
  await world.pass(2_000);
  const { calls } = world.faults;
  world.faults.arm();
  return { ...setup, calls };
}

async function passWith(watch: Watch, world: WatchedWorld): Promise<void> {
  for (let look = 0; look < 60; look++) {
    world.clock.advance(250);
    await watch.tick();
    await watch.idle();
  }
}

for (const when of ["before", "after"] as const)
  test(`remount() goes on in another life from wherever it died ${when} a call`, async () => {
    const whole = await struck();
    assertShown(whole);
    for (let at = 0; at < whole.calls; at++) {
      const setup = await struck({ at, what: "die", when });
      const { watchHost: host, locks, log } = setup.world;
      await using watch = new Watch({ host, locks, log });
      await passWith(watch, setup.world);
      assertShown(setup);
    }
  });

test("remount() goes on in another life from wherever it died, also of a volume that no pod has", async () => {
  const prepare = async (fault?: Fault) => {
    const world = new WatchedWorld({ canHold: false });
    const volume = world.attach("pvc-a");
    await stage(world.stageRequest(volume), world.host, world.ctx);
    await world.pass(1_500);
    world.kernel.drop(volume.nqn);
    world.kernel.connect(volume.nqn);
    world.faults.arm(fault);
    await world.pass(2_000);
    const { calls } = world.faults;
    world.faults.arm();
    return { world, volume, calls };
  };
  const { calls } = await prepare();
  for (let at = 0; at < calls; at++) {
    const { world, volume } = await prepare({ at, what: "die", when: "after" });
    const { watchHost: host, locks, log } = world;
    await using watch = new Watch({ host, locks, log });
    await passWith(watch, world);
    const device = world.kernel.controllers.get(volume.nqn)?.device;
    const mounts = world.kernel.mounts.map((mount) => mount.device === device);
    assert.deepEqual(mounts, [true]);
    assert.equal(world.records.volumes.get("pvc-a")?.remounting, undefined);
    assert.equal(stateOf(world, volume), "connected");
  }
});

for (const when of ["before", "after"] as const)
  test(`remount() goes on from wherever it failed ${when} a call`, async () => {
    const { calls } = await struck();
    assert.ok(calls > 10);
    for (let at = 0; at < calls; at++) {
      const setup = await struck({ at, what: "fail", when });
      await passWith(setup.world.watch, setup.world);
      assertShown(setup);
    }
  });

test("remount() tells once who keeps a dead mount, also after a restart, until those pods are gone", async () => {
  const { world, volume, pod, reader } = await used();
  await outage(world, volume);
  const message = world.health.conditionOf("pvc-a")?.message ?? "";
  assert.ok([pod, reader].every((path) => message.includes(`"${path}"`)));
  assert.match(message, /: restart them$/);
  await world.pass(20_000);
  const told = world.told.filter((line) => line.startsWith("Pods have a volume again"));
  assert.equal(told.length, 1);
  const request = { volumeId: "pvc-a", volumePath: pod };
  const { usage, condition } = await stats(request, world.host, world.ctx);
  assert.deepEqual([usage.kind, condition], ["filesystem", { abnormal: true, message }]);

  world.health.forget("pvc-a");
  await using life = new Watch({ host: world.watchHost, locks: world.locks, log: world.log });
  await life.tick();
  await life.idle();
  assert.equal(world.health.conditionOf("pvc-a")?.message, message);

  for (const targetPath of [pod, reader]) {
    assert.equal(stateOf(world, volume), "stale");
    await unpublish({ volumeId: "pvc-a", targetPath }, world.host, world.ctx);
    await world.pass(1_500);
  }
  assert.equal(stateOf(world, volume), "connected");
  assert.match(world.health.conditionOf("pvc-a")?.message ?? "", /it has no hold/);
  assert.equal(world.records.volumes.get("pvc-a")?.published, undefined);
});

test("remount() leaves alone what somebody else has mounted at a target path, and what is alive at the staging path", async () => {
  const setup = await used();
  const { world, volume, pod } = setup;
  const other = world.attach("pvc-b");
  await stage(world.stageRequest(other), world.host, world.ctx);
  await world.mounts.bind({ source: stagingPathOf(other), target: pod, options: [] }, world.ctx);
  await outage(world, volume);
  assert.equal(world.topmost(pod)?.device?.disk, other.disk);
  assert.equal(world.mountsAt(pod).length, 2);

  world.kernel.mounts.pop();
  const staging = stagingPathOf(volume);
  await world.mounts.bind(
    { source: stagingPathOf(other), target: staging, options: [] },
    world.ctx,
  );
  await outage(world, volume);
  assert.equal(world.topmost(staging)?.device?.disk, other.disk);
  assert.deepEqual(world.kernel.damage, []);
});

test("remount() does not touch pods while what came back is not the volume", async () => {
  const { world, volume, pod } = await used();
  const before = world.mountsAt(pod);
  world.kernel.exports.delete(volume.nqn);
  world.kernel.drop(volume.nqn);
  await world.pass(2_000);
  volume.disk.content = { kind: "filesystem", fsType: "ext4", uuid: "another" };
  world.kernel.exports.set(volume.nqn, volume.disk);
  await world.pass(5_000);
  assert.deepEqual(world.mountsAt(pod), before);
  assert.equal(stateOf(world, volume), "stale");
  assert.match(world.health.conditionOf("pvc-a")?.message ?? "", /; reads and writes fail since/);
});

test("remount() detaches a dead mount whose unmount hangs in the kernel", async () => {
  const setup = await used();
  const { world, volume } = setup;
  const unmount = world.mounts.unmount.bind(world.mounts);
  world.mounts.unmount = async (target, ctx) => {
    if (target !== stagingPathOf(volume)) return await unmount(target, ctx);
    throw new DriverError("deadline-exceeded", `Cannot unmount "${target}": hangs in the kernel`);
  };
  await outage(world, volume);
  assertShown(setup);
  assert.ok(world.warnings.includes("Detaching a dead mount that cannot be unmounted"));
});

test("remount() that hangs in the kernel holds up no other volume", async () => {
  const { world, volume } = await used();
  const quick = world.attach("pvc-quick");
  await stage(world.stageRequest(quick), world.host, world.ctx);
  await publish(world.publishRequest(quick, "quick"), world.host, world.ctx);
  await world.pass(1_500);
  const { promise, resolve } = Promise.withResolvers<void>();
  const unmount = world.mounts.unmount.bind(world.mounts);
  world.mounts.unmount = async (target, ctx) => {
    if (target === stagingPathOf(volume)) await promise;
    await unmount(target, ctx);
  };
  for (const { nqn } of [volume, quick]) world.kernel.drop(nqn);
  for (let look = 0; look < 40; look++) {
    world.clock.advance(250);
    await world.watch.tick();
    await new Promise((next) => setImmediate(next));
  }
  assert.equal(stateOf(world, volume), "waiting");
  assert.equal(stateOf(world, quick), "stale");
  world.write(targetPathOf(quick, "quick"), "after", "");
  resolve();
  await world.pass(3_000);
  assert.equal(stateOf(world, volume), "stale");
});

test("a volume that was to have a hold and gets none is told of when it is staged, and by its condition", async () => {
  const { world } = await used();
  const warning = world.log.records.find(({ message }) => message.includes("without a hold"));
  assert.deepEqual([warning?.level, warning?.fields["volumeId"]], ["warn", "pvc-a"]);
  assert.match(world.health.conditionOf("pvc-a")?.message ?? "", /it has no hold/);
  const request = { volumeId: "pvc-a", volumePath: targetPathOf({ volumeId: "pvc-a" }, "pod") };
  const { condition } = await stats(request, world.host, world.ctx);
  assert.equal(condition.abnormal, false);
  assert.match(condition.message, /it has no hold/);
});

test("remount() keeps a disk of readers read-only", async () => {
  const { world, volume } = await used(mountUse("multi-node-reader-only"));
  await outage(world, volume);
  assert.equal(world.kernel.controllers.get(volume.nqn)?.device?.isReadOnly, true);
  assert.ok(world.topmost(stagingPathOf(volume))?.options.includes("ro"));
});

test("remount() gives a raw block pod the node of the device that is back", async () => {
  const { world, volume, pod } = await used(blockUse());
  // somebody keeps the old number in use, as kubelet does
  const kept = world.attach("pvc-kept");
  world.kernel.exports.delete(volume.nqn);
  world.kernel.drop(volume.nqn);
  await world.pass(2_000);
  world.kernel.controllers.clear();
  world.kernel.connect(kept.nqn);
  const taken = world.kernel.controllers.get(kept.nqn)?.device?.majorMinor;
  assert.equal(world.topmost(pod)?.node, taken);
  world.kernel.exports.set(volume.nqn, volume.disk);
  world.kernel.connect(volume.nqn);
  await world.pass(3_000);
  const device = world.kernel.controllers.get(volume.nqn)?.device;
  assert.notEqual(device?.majorMinor, taken);
  assert.deepEqual(
    world.mountsAt(pod).map((mount) => "node" in mount && mount.node),
    [device?.majorMinor],
  );
  assert.equal(stateOf(world, volume), "stale");
});

test("withdraw() takes a node away that leads to another volume, and the volume is there again when it is back", async () => {
  const { world, volume, pod } = await used(blockUse());
  world.kernel.exports.delete(volume.nqn);
  world.kernel.drop(volume.nqn);
  await world.pass(2_000);
  assert.equal(world.mountsAt(pod).length, 1, "a dead node leads nowhere");
  const other = world.attach("pvc-b");
  await stage(world.stageRequest(other), world.host, world.ctx).catch(() => {});
  assert.equal(world.topmost(pod)?.node, world.kernel.find(other.nqn)?.majorMinor);
  await world.pass(12_000);
  assert.deepEqual(world.mountsAt(pod), []);
  assert.equal(world.paths.kindNow(pod), "file");
  const { condition } = await stats({ volumeId: "pvc-a", volumePath: pod }, world.host, world.ctx);
  assert.match(condition.message, /reads and writes fail; the last try failed, .*: no answer$/);
  assert.ok(world.told.some((line) => line.startsWith("Took a device node away from a pod")));
  world.kernel.exports.set(volume.nqn, volume.disk);
  await world.pass(12_000);
  assert.equal(world.topmost(pod)?.node, world.kernel.find(volume.nqn)?.majorMinor);
  assert.equal(stateOf(world, volume), "stale");
  await unpublish({ volumeId: "pvc-a", targetPath: pod }, world.host, world.ctx);
  await world.pass(1_500);
  assert.equal(stateOf(world, volume), "connected");
});

test("stage() forgets the pods of before a reboot, and the watch shows them nothing", async () => {
  const { world, volume, pod } = await used();
  world.kernel.reboot();
  await world.pass(2_000);
  assert.equal(world.kernel.controllers.size, 0);
  await stage(world.stageRequest(volume), world.host, world.ctx);
  await world.pass(2_000);
  assert.equal(world.records.volumes.get("pvc-a")?.published, undefined);
  assert.deepEqual(world.mountsAt(pod), []);
});

test("publish() counts a pod that has a dead mount when there may be one only", async () => {
  const world = new WatchedWorld({ canHold: false });
  const volume = world.attach("pvc-a");
  const use = mountUse("single-node-single-writer");
  await stage(world.stageRequest(volume, use), world.host, world.ctx);
  await publish(world.publishRequest(volume, "pod", use), world.host, world.ctx);
  world.kernel.drop(volume.nqn);
  world.kernel.connect(volume.nqn);
  world.kernel.mounts = world.kernel.mounts.filter(
    ({ target }) => target !== stagingPathOf(volume),
  );
  const device = world.kernel.find(volume.nqn);
  const mount = { target: stagingPathOf(volume), fsType: "ext4", options: [] };
  await world.mounts.mount({ ...mount, source: device?.path ?? "" }, world.ctx);
  await assert.rejects(
    publish(world.publishRequest(volume, "second", use), world.host, world.ctx),
    { kind: "failed-precondition", message: /it has a single writer/ },
  );
  const request = { volumeId: "pvc-a", volumePath: targetPathOf(volume, "pod") };
  const { usage, condition } = await stats(request, world.host, world.ctx);
  assert.deepEqual([usage.kind, condition.abnormal], ["none", true]);
});
