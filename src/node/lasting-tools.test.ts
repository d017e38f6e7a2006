import assert from "node:assert/strict";
import test from "node:test";
import { DriverError } from "#domain/errors.ts";
import { abortable } from "#lib/abortable.ts";
import type { Context } from "#lib/context.ts";
import { NodeWorld, stagingPathOf } from "#test/fakes/node/node-world.ts";
import { WatchedWorld } from "#test/fakes/watch/watched-world.ts";
import { LastingTools } from "./lasting-tools.ts";
import { stage } from "./stage.ts";
import { unstage } from "./unstage.ts";

/** mkfs and checks that end when the test says so, or when they are told to. */
class SlowTools {
  begun = 0;
  #gate = Promise.withResolvers<void>();

  readonly run = async ({ signal }: Context): Promise<void> => {
    this.begun++;
    this.#gate = Promise.withResolvers();
    await abortable(this.#gate.promise, signal);
  };

  async finish(): Promise<void> {
    this.#gate.resolve();
    await settled();
  }

  async fail(reason: string): Promise<void> {
    this.#gate.reject(new Error(reason));
    await settled();
  }
}

/** Lets everything happen that waits for nothing but its turn. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
}

function rig({ canHold = false, world = new NodeWorld({ canHold }) } = {}) {
  const volume = world.attach("pvc-1");
  const slow = new SlowTools();
  world.filesystems.whileRunning = slow.run;
  const stageOnce = async (signal = world.ctx.signal) =>
    await stage(world.stageRequest(volume), world.host, { ...world.ctx, signal });
  /** A call that kubelet gives up while a tool runs. */
  const stageInVain = async () => {
    const deadline = new AbortController();
    const call = assert.rejects(stageOnce(deadline.signal), { kind: "operation-pending" });
    await settled();
    deadline.abort(new DOMException("The deadline of the call has passed", "TimeoutError"));
    await call;
  };
  const leave = async (signal = world.ctx.signal) => {
    const request = { volumeId: "pvc-1", stagingPath: stagingPathOf(volume) };
    await unstage(request, world.host, { ...world.ctx, signal });
  };
  const assertGone = () => {
    assert.equal(world.kernel.controllers.size + world.kernel.holds.size, 0);
    assert.equal(world.tools.has(volume.nqn), false);
    assert.deepEqual(world.kernel.damage, []);
  };
  return { world, volume, slow, stageOnce, stageInVain, leave, assertGone };
}

for (const canHold of [false, true])
  test(`stage() lets mkfs go on without its call, and a later call takes what it made (hold: ${canHold})`, async () => {
    const { world, volume, slow, stageOnce, stageInVain } = rig({ canHold });
    await stageInVain();
    await stageInVain();
    assert.equal(world.records.volumes.get("pvc-1")?.phase, "formatting");
    const staging = stageOnce();
    await settled();
    assert.equal(slow.begun, 1);
    await slow.finish();
    await staging;
    assert.equal(volume.disk.formats, 1, "the only one that was begun");
    assert.equal(slow.begun, 1);
    assert.equal(world.mountsAt(stagingPathOf(volume)).length, 1);
    const { phase, fsUuid } = world.records.volumes.get("pvc-1") ?? {};
    assert.deepEqual([phase, fsUuid], ["staged", "uuid-1"]);
    assert.equal(world.tools.has(volume.nqn), false);
    assert.deepEqual(world.kernel.damage, []);
  });

test("stage() takes what mkfs made when no call was there", async () => {
  const { world, volume, slow, stageOnce, stageInVain } = rig();
  await stageInVain();
  await slow.finish();
  await stageOnce();
  assert.deepEqual([slow.begun, volume.disk.formats], [1, 1]);
  assert.equal(world.mountsAt(stagingPathOf(volume)).length, 1);
});

test("stage() answers before kubelet gives up, with what runs and since when", async () => {
  const { world, volume, stageOnce, leave } = rig();
  const host = { ...world.host, tools: new LastingTools(world.clock, 10) };
  const since = world.clock.now().toISOString();
  await assert.rejects(stage(world.stageRequest(volume), host, world.ctx), {
    kind: "operation-pending",
    message: `Cannot stage "${volume.nqn}" yet: mkfs of ext4 on "/dev/nvme0n1" has been running since ${since}; it goes on, and a later call takes its result`,
  });
  // of another life of the plugin, as far as the first one knows
  await assert.rejects(stageOnce(), { kind: "unavailable" }, "it has the device to itself");
  await host.tools[Symbol.asyncDispose]();
  await leave();
});

test("stage() reports once that a tool failed without a call, takes everything back, and begins anew", async () => {
  const { world, volume, slow, stageOnce, stageInVain, assertGone } = rig({ canHold: true });
  await stageInVain();
  await slow.fail("mkfs.ext4 failed with exit code 1");
  await assert.rejects(stageOnce(), { message: "mkfs.ext4 failed with exit code 1" });
  assertGone();
  const staging = stageOnce();
  await settled();
  await slow.finish();
  await staging;
  assert.equal(slow.begun, 2);
  assert.equal(volume.disk.formats, 1);
  assert.equal(world.mountsAt(stagingPathOf(volume)).length, 1);
});

for (const canHold of [false, true])
  test(`unstage() ends mkfs before it disconnects (hold: ${canHold})`, async () => {
    const { world, volume, stageInVain, leave, assertGone } = rig({ canHold });
    await stageInVain();
    await leave();
    assertGone();
    assert.equal(volume.disk.isHalfMade, true);
    assert.equal(world.records.volumes.size, 0);
  });

for (const canHold of [false, true])
  test(`unstage() does not disconnect under a tool that cannot be ended (hold: ${canHold})`, async () => {
    const { world, volume, stageInVain, leave, assertGone } = rig({ canHold });
    const hung = Promise.withResolvers<void>();
    world.filesystems.whileRunning = () => hung.promise;
    await stageInVain();
    const deadline = new AbortController();
    const leaving = assert.rejects(leave(deadline.signal));
    await settled();
    deadline.abort();
    await leaving;
    assert.ok(world.kernel.find(volume.nqn));
    assert.ok(world.records.volumes.has("pvc-1"));
    hung.reject(new Error("Input/output error"));
    await leave();
    assertGone();
  });

test("stage() lets a check go on without its call, and mounts what a later call finds repaired", async () => {
  const { world, volume, slow, stageOnce, stageInVain } = rig({ canHold: true });
  volume.disk.format("ext4");
  volume.disk.files.set("precious", "data");
  volume.disk.isDamaged = true;
  await stageInVain();
  await stageInVain();
  await slow.finish();
  await stageOnce();
  assert.equal(slow.begun, 1);
  assert.equal(world.mountsAt(stagingPathOf(volume)).length, 1);
  assert.equal(volume.disk.files.get("precious"), "data");
  assert.deepEqual(world.kernel.damage, []);
});

test("stage() says so when a check has ended well and the file system still cannot be mounted", async () => {
  const { volume, slow, stageOnce, stageInVain, assertGone } = rig();
  volume.disk.format("ext4");
  volume.disk.isDamaged = true;
  await stageInVain();
  await slow.finish();
  volume.disk.isDamaged = true;
  await assert.rejects(stageOnce(), { kind: "internal", message: /structure needs cleaning/ });
  assert.equal(slow.begun, 1);
  assertGone();
});

test("stage() begins anew when the device was replaced under mkfs, which waits in its hold", async () => {
  const { world, volume, slow, stageOnce, stageInVain } = rig({ canHold: true });
  await stageInVain();
  world.kernel.drop(volume.nqn);
  world.attach("pvc-other");
  world.kernel.connect(volume.nqn);
  await assert.rejects(stageOnce(), { kind: "unavailable" });
  assert.equal(world.kernel.holds.get(volume.nqn)?.isQueueing, false, "so that it gets an error");
  await slow.fail("Input/output error");
  const staging = stageOnce();
  await settled();
  await slow.finish();
  await staging;
  assert.equal(volume.disk.formats, 1);
  assert.deepEqual(world.kernel.damage, []);
});

test("stage() lets mkfs fail that waits in its hold without a path while the device is there, and begins anew", async () => {
  const { world, volume, slow, stageOnce, stageInVain, assertGone } = rig({ canHold: true });
  await stageInVain();
  const { status, failQueue } = world.holds;
  world.holds.status = async (...args) => ({
    ...(await status.apply(world.holds, args)),
    paths: ["failed", "failed"],
  });
  world.holds.failQueue = async (...args) => {
    await failQueue.apply(world.holds, args);
    await slow.fail("Input/output error");
  };
  await assert.rejects(stageOnce(), { message: "Input/output error" });
  assertGone();
  Object.assign(world.holds, { status, failQueue });
  const staging = stageOnce();
  await settled();
  await slow.finish();
  await staging;
  assert.equal(world.mountsAt(stagingPathOf(volume)).length, 1);
});

test("unstage() lets a tool fail that waits in the hold of a volume that was never staged", async () => {
  const { world, volume, slow, stageInVain, assertGone } = rig({ canHold: true });
  await stageInVain();
  const { failQueue } = world.holds;
  world.holds.failQueue = async (...args) => {
    await failQueue.apply(world.holds, args);
    await slow.fail("Input/output error");
  };
  const request = { volumeId: "pvc-1", stagingPath: stagingPathOf(volume) };
  // to another life of the plugin it is a process that cannot be ended
  await unstage(request, { ...world.host, tools: new LastingTools(world.clock) }, world.ctx);
  await world.tools.end(volume.nqn, world.ctx);
  assertGone();
});

test("stage() fails in no way that kubelet takes as final while a tool goes on", async () => {
  const { world, volume, slow, stageOnce, stageInVain } = rig();
  await stageInVain();
  const findDevice = async () => {
    throw new DriverError("failed-precondition", "There are two disks");
  };
  const initiator = Object.assign(Object.create(world.host.initiator), { findDevice });
  await assert.rejects(stage(world.stageRequest(volume), { ...world.host, initiator }, world.ctx), {
    kind: "unavailable",
    message: "There are two disks",
  });
  assert.ok(world.tools.has(volume.nqn));
  await slow.finish();
  await stageOnce();
  assert.equal(slow.begun, 1);
});

test("LastingTools ends all tools when the plugin goes", async () => {
  const { world, volume, slow, stageInVain } = rig();
  await stageInVain();
  await world.tools[Symbol.asyncDispose]();
  assert.equal(world.kernel.claims.size, 0);
  assert.equal(volume.disk.isHalfMade, true);
  assert.equal(world.records.volumes.get("pvc-1")?.phase, "formatting", "the next life repeats it");
  assert.equal(slow.begun, 1);
});

test("the watch does not mount a volume again while a check has it", async () => {
  const world = new WatchedWorld({ canHold: false });
  const { volume, slow, stageOnce, stageInVain } = rig({ world });
  volume.disk.format("ext4");
  await stageOnce();
  await world.pass(1_500);
  world.kernel.reboot();
  volume.disk.isDamaged = true;
  await stageInVain();
  world.kernel.claims.clear();
  volume.disk.isDamaged = false;
  world.kernel.lose(volume.nqn);
  await world.pass(2_000);
  world.kernel.restore(volume.nqn, { renumbered: false });
  await world.pass(2_000);
  assert.deepEqual(world.mountsAt(stagingPathOf(volume)), []);
  await slow.finish();
  await stageOnce();
  assert.equal(world.mountsAt(stagingPathOf(volume)).length, 1);
  assert.equal(slow.begun, 1);
});
