import assert from "node:assert/strict";
import test from "node:test";
import { DriverError } from "#domain/errors.ts";
import { FakeDisk } from "#test/fakes/node/fake-disk.ts";
import { assertAllWritten, inUse, stateOf, write } from "#test/fakes/watch/in-use.ts";
import { WatchedWorld } from "#test/fakes/watch/watched-world.ts";

/** What waits in a hold without a path takes a whole processor: the kernel tries it again without a pause. */
async function inOutage() {
  const world = new WatchedWorld();
  const volume = await inUse(world);
  const hold = world.kernel.holds.get(volume.nqn) ?? assert.fail();
  write(world, volume, "before");
  const giveUp = () => {
    world.kernel.exports.delete(volume.nqn);
    world.kernel.drop(volume.nqn);
  };
  return { world, volume, hold, giveUp };
}

test("tick() parks a hold whose device the kernel has given up, until it is on the next one", async () => {
  const { world, volume, hold, giveUp } = await inOutage();
  giveUp();
  write(world, volume, "during");
  await world.pass(1_500);
  assert.equal(hold.isSuspended, true);
  await world.pass(60_000);
  assert.equal(stateOf(world, volume), "waiting");
  world.kernel.exports.set(volume.nqn, volume.disk);
  await world.pass(11_000);
  assert.equal(hold.isSuspended, false);
  assert.equal(stateOf(world, volume), "connected");
  write(world, volume, "after");
  assertAllWritten(world, volume);
});

test("tick() leaves what waits in the namespace itself to the kernel", async () => {
  const { world, volume, hold } = await inOutage();
  world.kernel.lose(volume.nqn);
  await world.pass(60_000);
  assert.equal(hold.isSuspended, false);
});

test("tick() brings a volume back whose hold cannot be parked, and gives parking up", async () => {
  const { world, volume, giveUp } = await inOutage();
  let tries = 0;
  world.holds.park = async () => {
    tries += 1;
    throw new DriverError("unavailable", "Cannot park hold: dmsetup did not end within 10 s");
  };
  giveUp();
  await world.pass(120_000);
  assert.equal(tries, 5);
  world.kernel.exports.set(volume.nqn, volume.disk);
  await world.pass(11_000);
  assert.equal(stateOf(world, volume), "connected");
});

test("tick() ends a parked hold when its time is over, and what waits in it fails", async () => {
  const world = new WatchedWorld();
  const volume = await inUse(world, { ioHoldSeconds: 20 });
  const hold = world.kernel.holds.get(volume.nqn) ?? assert.fail();
  world.kernel.exports.delete(volume.nqn);
  world.kernel.drop(volume.nqn);
  write(world, volume, "during");
  await world.pass(5_000);
  assert.equal(hold.isSuspended, true);
  await world.pass(30_000);
  assert.deepEqual([hold.isSuspended, hold.isQueueing, hold.waiting.size], [false, false, 0]);
  assert.equal(stateOf(world, volume), "failed");
});

test("tick() parks no hold that a call is busy with, also where nothing else is to be done", async () => {
  const { world, volume, hold, giveUp } = await inOutage();
  giveUp();
  const other = new FakeDisk(volume.disk.sizeBytes);
  other.format("xfs");
  world.kernel.exports.set(volume.nqn, other);
  await world.pass(11_000);
  assert.equal(stateOf(world, volume), "refused");
  assert.equal(hold.isSuspended, true);
  {
    using _lock = world.locks.tryAcquire(volume.volumeId) ?? assert.fail();
    hold.isSuspended = false;
    await world.pass(20_000);
    assert.equal(hold.isSuspended, false);
  }
  await world.pass(20_000);
  assert.equal(hold.isSuspended, true);
});
