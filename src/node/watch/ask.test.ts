import assert from "node:assert/strict";
import test from "node:test";
import { assertAllWritten, inUse, stateOf, write } from "#test/fakes/watch/in-use.ts";
import { WatchedWorld } from "#test/fakes/watch/watched-world.ts";

/** A volume whose connection broke once more in the moment when the kernel had made it: live, and dead. */
async function withMuteConnection(canHold: boolean) {
  const world = new WatchedWorld({ canHold });
  const volume = await inUse(world);
  const controller = world.kernel.controllers.get(volume.nqn) ?? assert.fail();
  write(world, volume, "before");
  world.kernel.lose(volume.nqn);
  await world.pass(1_000);
  world.kernel.restore(volume.nqn, { renumbered: false });
  controller.isMute = true;
  return { world, volume, controller };
}

for (const canHold of [true, false])
  test(`tick() makes a connection anew that says it is live and does not answer, ${canHold ? "with" : "without"} a hold`, async () => {
    const { world, volume } = await withMuteConnection(canHold);
    if (canHold) write(world, volume, "during");
    await world.pass(2_000);
    assert.equal(stateOf(world, volume), "connected");
    assert.deepEqual(world.kernel.resets, [volume.nqn]);
    assert.deepEqual(world.decisions, ["wait", "reset"]);
    if (!canHold) write(world, volume, "during");
    write(world, volume, "after");
    assertAllWritten(world, volume);
  });

test("tick() asks nothing where all paths have failed, which try again before the connection is made anew", async () => {
  const { world, volume, controller } = await withMuteConnection(true);
  const { holds } = world;
  const status = holds.status.bind(holds);
  holds.status = async (...args) => ({
    ...(await status(...args)),
    ...(controller.isMute === true && { paths: ["failed", "failed"] }),
  });
  const asked: unknown[] = [];
  const { readDirect } = world.watchHost.reads;
  const reads = {
    readDirect: async (...args: Parameters<typeof readDirect>) => {
      asked.push(controller.isMute);
      await readDirect(...args);
    },
  };
  Object.assign(world.watchHost, { reads });
  write(world, volume, "during");
  await world.pass(4_000);
  assert.equal(stateOf(world, volume), "connected");
  assert.deepEqual(world.decisions, ["wait", "reinstate", "reset"]);
  assert.deepEqual(asked, [false], "one that waits in vain keeps a processor busy");
  write(world, volume, "after");
  assertAllWritten(world, volume);
});

test("tick() gives a target that stays mute more and more time, and tells of it", async () => {
  const { world, volume, controller } = await withMuteConnection(true);
  world.kernel.staysMute = true;
  write(world, volume, "during");
  await world.pass(600_000);
  assert.equal(stateOf(world, volume), "waiting");
  const { length } = world.kernel.resets;
  assert.ok(length >= 8 && length <= 15, `${length} resets in ten minutes`);
  controller.isMute = false;
  world.kernel.restore(volume.nqn, { renumbered: false });
  await world.pass(11_000);
  assert.equal(stateOf(world, volume), "connected");
  assert.equal(world.kernel.resets.length, length);
  write(world, volume, "after");
  assertAllWritten(world, volume);
});

test("tick() makes a connection anew once only when the first block cannot be read", async () => {
  const world = new WatchedWorld();
  const volume = await inUse(world);
  const path = world.kernel.controllers.get(volume.nqn)?.device?.path ?? assert.fail();
  world.kernel.lose(volume.nqn);
  await world.pass(1_000);
  world.unreadable.add(path);
  world.kernel.restore(volume.nqn, { renumbered: false });
  await world.pass(60_000);
  assert.equal(stateOf(world, volume), "connected");
  assert.deepEqual(world.kernel.resets, [volume.nqn]);
});

test("tick() reads nothing of a volume that is well", async () => {
  const world = new WatchedWorld();
  const volume = await inUse(world);
  let reads = 0;
  const readDirect = async () => void reads++;
  Object.assign(world.watchHost, { reads: { readDirect } });
  await world.pass(60_000);
  assert.equal(reads, 0);
  world.kernel.lose(volume.nqn);
  await world.pass(1_000);
  world.kernel.restore(volume.nqn, { renumbered: false });
  await world.pass(60_000);
  assert.equal(reads, 1);
});
