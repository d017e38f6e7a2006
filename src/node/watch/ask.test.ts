import assert from "node:assert/strict";
import test from "node:test";
import { assertAllWritten, inUse, stateOf, write } from "#test/fakes/watch/in-use.ts";
import { WatchedWorld } from "#test/fakes/watch/watched-world.ts";

/** A volume whose connection broke once more in the moment when the kernel had made it: live, and dead. */
async function withMuteConnection(canHold: boolean) {
  const world = new WatchedWorld({ canHold });
  const volume = await inUse(world);
  const controller = world.kernel.controllers.get(volume.nqn) ?? assert.fail();
  const reads = countReads(world);
  write(world, volume, "before");
  world.kernel.lose(volume.nqn);
  await world.pass(1_000);
  world.kernel.restore(volume.nqn, { renumbered: false });
  controller.isMute = true;
  return { world, volume, controller, reads };
}

function countReads(world: WatchedWorld): { count: number } {
  const reads = { count: 0 };
  const { readDirect } = world.watchHost.reads;
  const counting = async (...args: Parameters<typeof readDirect>) => {
    reads.count++;
    await readDirect(...args);
  };
  Object.assign(world.watchHost, { reads: { readDirect: counting } });
  return reads;
}

test("tick() makes a connection anew under a hold whose paths fail right after they tried again, and asks nothing", async () => {
  const { world, volume, reads } = await withMuteConnection(true);
  write(world, volume, "during");
  await world.pass(3_000);
  assert.equal(stateOf(world, volume), "connected");
  assert.deepEqual(world.kernel.resets, [volume.nqn]);
  assert.deepEqual(world.decisions, ["wait", "reinstate", "reset"]);
  assert.equal(reads.count, 0, "one that waits in vain keeps a processor busy");
  write(world, volume, "after");
  assertAllWritten(world, volume);
});

test("tick() notices after the next look at all holds that a connection under a hold is mute", async () => {
  const { world, volume } = await withMuteConnection(true);
  await world.pass(750);
  assert.equal(stateOf(world, volume), "connected");
  write(world, volume, "during");
  world.stuck.add(volume.nqn);
  await world.pass(12_000);
  assert.deepEqual(world.kernel.resets, [volume.nqn]);
  world.stuck.clear();
  await world.pass(1_000);
  assert.equal(stateOf(world, volume), "connected");
  write(world, volume, "after");
  assertAllWritten(world, volume);
});

test("tick() asks a device that a hold is to be put on, and makes its connection anew when it does not answer", async () => {
  const world = new WatchedWorld();
  const volume = await inUse(world);
  write(world, volume, "before");
  world.kernel.staysMute = true;
  world.kernel.drop(volume.nqn);
  write(world, volume, "during");
  await world.pass(1_000);
  assert.equal(stateOf(world, volume), "waiting");
  assert.match(world.health.conditionOf("pvc-a")?.obstacle ?? "", /^Cannot read .*: no answer$/);
  world.kernel.staysMute = false;
  await world.pass(22_000);
  assert.equal(stateOf(world, volume), "connected");
  assert.deepEqual(world.decisions, ["connect", "reset", "wait", "reset", "prove-and-swap"]);
  write(world, volume, "after");
  assertAllWritten(world, volume);
});

test("tick() makes a silent connection anew that pods use without a hold", async () => {
  const { world, volume } = await withMuteConnection(false);
  await world.pass(1_000);
  const { message } = world.health.conditionOf("pvc-a") ?? assert.fail();
  assert.match(message, /is being brought back since \S+: reads and writes get no answer$/);
  await world.pass(15_000);
  assert.deepEqual(world.kernel.resets, [volume.nqn]);
  assert.equal(stateOf(world, volume), "connected");
  write(world, volume, "during");
  write(world, volume, "after");
  assertAllWritten(world, volume);
});

test("tick() leaves a connection under a hold alone as long as commands are under way, which would be sent twice", async () => {
  const { world, volume, controller } = await withMuteConnection(true);
  controller.isBusy = true;
  write(world, volume, "during");
  await world.pass(120_000);
  assert.deepEqual(world.kernel.resets, []);
  const { obstacle = "" } = world.health.conditionOf("pvc-a") ?? assert.fail();
  assert.match(obstacle, /commands are under way/);
  assert.ok(!world.decisions.includes("pass-errors"), "nothing was made anew");
  controller.isBusy = false;
  await world.pass(12_000);
  assert.deepEqual(world.kernel.resets, [volume.nqn]);
  assert.equal(stateOf(world, volume), "connected");
  write(world, volume, "after");
  assertAllWritten(world, volume);
});

test("tick() makes a connection anew on which commands are under way only when the kernel would have noticed one without answer", async () => {
  const { world, volume, controller } = await withMuteConnection(false);
  controller.isBusy = true;
  await world.pass(34_000);
  assert.deepEqual(world.kernel.resets, []);
  assert.equal(stateOf(world, volume), "waiting");
  await world.pass(30_000);
  assert.deepEqual(world.kernel.resets, [volume.nqn]);
  assert.equal(stateOf(world, volume), "connected");
});

test("tick() leaves a connection without a hold alone whose target answers late", async () => {
  const { world, controller } = await withMuteConnection(false);
  const path = controller.device?.path ?? assert.fail();
  Object.assign(controller, { isMute: false, isBusy: true });
  world.unreadable.add(path);
  await world.pass(600_000);
  assert.deepEqual(world.kernel.resets, []);
});

test("tick() makes a connection that stays silent anew once a minute, and no more once it answers", async () => {
  const { world, volume, controller } = await withMuteConnection(false);
  world.kernel.staysMute = true;
  await world.pass(600_000);
  assert.equal(stateOf(world, volume), "waiting");
  const { length } = world.kernel.resets;
  assert.ok(length >= 6 && length <= 17, `${length} resets in ten minutes`);
  controller.isMute = false;
  await world.pass(11_000);
  assert.equal(stateOf(world, volume), "connected");
  assert.equal(world.kernel.resets.length, length);
});

test("tick() makes a connection anew three times and no more when the first block cannot be read", async () => {
  const world = new WatchedWorld({ canHold: false });
  const volume = await inUse(world);
  const path = world.kernel.controllers.get(volume.nqn)?.device?.path ?? assert.fail();
  world.kernel.lose(volume.nqn);
  await world.pass(1_000);
  world.unreadable.add(path);
  world.kernel.restore(volume.nqn, { renumbered: false });
  await world.pass(600_000);
  assert.equal(stateOf(world, volume), "connected");
  assert.deepEqual(world.kernel.resets, [volume.nqn, volume.nqn, volume.nqn]);
});

test("tick() reads nothing of a volume that is well, and of one without a hold one block after an outage", async () => {
  const world = new WatchedWorld({ canHold: false });
  const volume = await inUse(world);
  const reads = countReads(world);
  await world.pass(60_000);
  assert.equal(reads.count, 0);
  world.kernel.lose(volume.nqn);
  await world.pass(1_000);
  world.kernel.restore(volume.nqn, { renumbered: false });
  await world.pass(60_000);
  assert.equal(reads.count, 1);
});
