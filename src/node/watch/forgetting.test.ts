import assert from "node:assert/strict";
import test from "node:test";
import { stage } from "#node/stage.ts";
import { unpublish } from "#node/unpublish.ts";
import { unstage } from "#node/unstage.ts";
import { type AttachedVolume, stagingPathOf, targetPathOf } from "#test/fakes/node/node-world.ts";
import { inUse } from "#test/fakes/watch/in-use.ts";
import { WatchedWorld } from "#test/fakes/watch/watched-world.ts";

async function leave(world: WatchedWorld, volume: AttachedVolume): Promise<void> {
  const { volumeId } = volume;
  const targetPath = targetPathOf(volume, "pod");
  await unpublish({ volumeId, targetPath }, world.host, world.ctx);
  await unstage({ volumeId, stagingPath: stagingPathOf(volume) }, world.host, world.ctx);
}

test("tick() forgets the connections of volumes that come and go, and keeps those of the others", async () => {
  const world = new WatchedWorld();
  const stays = await inUse(world, {}, "pvc-stays");
  for (let round = 0; round < 10; round++) {
    const volume = await inUse(world, {}, `pvc-${round}`);
    assert.ok(world.remembered.has(volume.nqn));
    await leave(world, volume);
    await world.pass(250);
    assert.deepEqual([...world.remembered], [stays.nqn]);
  }
});

test("tick() forgets the connection that a volume had before it was elsewhere", async () => {
  const world = new WatchedWorld();
  const volume = await inUse(world);
  const before = volume.nqn;
  await leave(world, volume);
  world.moveAway(volume);
  world.moveBack(volume);
  await stage(world.stageRequest(volume), world.host, world.ctx);
  await world.pass(1_500);
  assert.notEqual(volume.nqn, before);
  assert.deepEqual([...world.remembered], [volume.nqn]);
});

test("tick() forgets no connection that a call is busy with", async () => {
  const world = new WatchedWorld();
  const volume = await inUse(world);
  const lock = world.locks.tryAcquire("pvc-a");
  await leave(world, volume);
  await world.pass(5_000);
  assert.ok(world.remembered.has(volume.nqn));
  lock?.[Symbol.dispose]();
  await world.pass(250);
  assert.equal(world.remembered.size, 0);
  assert.ok(world.locks.tryAcquire("pvc-a"), "it was not kept from calls");
});

test("tick() forgets no connection that a step is busy with, until that has ended", async () => {
  const world = new WatchedWorld();
  const volume = await inUse(world);
  const { promise, resolve } = Promise.withResolvers<void>();
  const { find } = world.records;
  world.watchHost.records.find = async (...args) => {
    const found = await find.apply(world.records, args);
    await promise;
    return found;
  };
  world.kernel.drop(volume.nqn);
  world.clock.advance(1_000);
  await world.watch.tick();
  world.records.find = find;
  world.records.volumes.clear();
  await world.watch.tick();
  assert.ok(world.remembered.has(volume.nqn));
  resolve();
  await world.pass(500);
  assert.equal(world.remembered.size, 0);
});

test("tick() forgets at once what a volume went through that a call stages anew", async () => {
  const world = new WatchedWorld();
  const volume = await inUse(world, { ioHoldSeconds: 30 });
  world.kernel.lose(volume.nqn);
  await world.pass(20_000);
  const record = world.records.volumes.get("pvc-a") ?? assert.fail();
  const lock = world.locks.tryAcquire("pvc-a");
  world.records.volumes.clear();
  await world.pass(250);
  world.records.volumes.set("pvc-a", record);
  lock?.[Symbol.dispose]();
  await world.pass(20_000);
  assert.equal(world.kernel.holds.get(volume.nqn)?.isQueueing, true, "it is another outage");
});
