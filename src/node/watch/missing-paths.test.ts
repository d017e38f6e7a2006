import assert from "node:assert/strict";
import test from "node:test";
import { stage } from "#node/stage.ts";
import { unstage } from "#node/unstage.ts";
import { stateOf } from "#test/fakes/watch/in-use.ts";
import { WatchedWorld } from "#test/fakes/watch/watched-world.ts";

const addresses = ["192.0.2.10", "192.0.2.11"];

/** A volume that is staged at both addresses, and how often it has been connected since. */
async function setUp(world: WatchedWorld) {
  const volume = world.attach("pvc-a");
  const request = world.stageRequest(volume);
  const target = { ...request.target, addresses };
  await stage({ ...request, target }, world.host, world.ctx);
  world.pathCounts.set(volume.nqn, 2);
  await world.pass(2_000);
  const { initiator } = world.watchHost;
  const connect = initiator.connect.bind(initiator);
  let connects = 0;
  let comesBack = true;
  initiator.connect = async (where, options, ctx) => {
    assert.deepEqual(where.addresses, addresses);
    connects += 1;
    await connect(where, options, ctx);
    if (comesBack) world.pathCounts.set(volume.nqn, 2);
  };
  return {
    volume,
    connects: () => connects,
    keepAway: () => {
      comesBack = false;
    },
  };
}

test("a path that the kernel has given up is connected again, and that is no incident", async () => {
  const world = new WatchedWorld();
  const { volume, connects } = await setUp(world);
  await world.pass(60_000);
  assert.equal(connects(), 0, "nothing is missing");
  world.pathCounts.set(volume.nqn, 1);
  await world.pass(15_000);
  assert.equal(connects(), 1);
  await world.pass(60_000);
  assert.equal(connects(), 1, "it is there");
  assert.equal(stateOf(world, volume), "connected");
  assert.deepEqual(world.decisions, []);
});

test("an address that stays away is tried ever more seldom", async () => {
  const world = new WatchedWorld();
  const { volume, connects, keepAway } = await setUp(world);
  keepAway();
  world.pathCounts.set(volume.nqn, 1);
  await world.pass(200_000);
  assert.equal(connects(), 4, "after 10 s, 20 s, 40 s and 80 s more");
});

test("a path is not connected while a call is busy with the volume, nor after it was unstaged", async () => {
  const world = new WatchedWorld();
  const { volume, connects } = await setUp(world);
  world.pathCounts.set(volume.nqn, 1);
  const lock = world.locks.tryAcquire("pvc-a");
  await world.pass(15_000);
  assert.equal(connects(), 0);
  lock?.[Symbol.dispose]();
  const { volumeId, stagingPath } = world.stageRequest(volume);
  await unstage({ volumeId, stagingPath }, world.host, world.ctx);
  await world.pass(60_000);
  assert.equal(connects(), 0);
});
