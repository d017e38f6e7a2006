import assert from "node:assert/strict";
import test from "node:test";
import { DriverError } from "#domain/errors.ts";
import type { Nqn } from "#domain/nqn.ts";
import { stage } from "#node/stage.ts";
import { inUse, stateOf } from "#test/fakes/watch/in-use.ts";
import { WatchedWorld } from "#test/fakes/watch/watched-world.ts";

const deadAddress = "192.0.2.20";
/** As long as one try to connect may take. */
const silenceMs = 10_000;

/** Volumes of an appliance that says nothing to whoever connects. */
async function dead(count: number) {
  const world = new WatchedWorld();
  for (let index = 0; index < count; index++) {
    const volume = world.attach(`pvc-dead-${index}`);
    const request = world.stageRequest(volume);
    const target = { ...request.target, addresses: [deadAddress] };
    await stage({ ...request, target }, world.host, world.ctx);
  }
  await world.pass(1_500);
  const tried = new Set<Nqn>();
  const { initiator } = world.watchHost;
  const waiting: { readonly endsAt: number; readonly end: () => void }[] = [];
  const connect = initiator.connect.bind(initiator);
  initiator.connect = async (target, options, ctx) => {
    if (!target.addresses.includes(deadAddress)) return await connect(target, options, ctx);
    tried.add(target.nqn);
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting.push({ endsAt: world.clock.elapsed() + silenceMs, end: resolve });
    await promise;
    throw new DriverError("unavailable", "no answer");
  };
  const pass = async (milliseconds: number) => {
    for (let passed = 0; passed < milliseconds; passed += 250) {
      world.clock.advance(250);
      const isOver = ({ endsAt }: { endsAt: number }) => endsAt <= world.clock.elapsed();
      while (waiting[0] !== undefined && isOver(waiting[0])) waiting.shift()?.end();
      await new Promise((next) => setImmediate(next));
      await world.watch.tick();
      await new Promise((next) => setImmediate(next));
    }
  };
  const lose = () => {
    for (const { nqn } of [...world.kernel.controllers.values()].flatMap((it) => it.device ?? []))
      world.kernel.drop(nqn);
  };
  return { world, tried, lose, pass };
}

test("tick() does not let 60 volumes of an appliance that is silent delay one of another", async () => {
  const { world, lose, pass } = await dead(60);
  const living = await inUse(world, {}, "pvc-living");
  lose();
  world.kernel.exports.delete(living.nqn);
  await pass(15_000);
  assert.equal(stateOf(world, living), "waiting");
  world.kernel.exports.set(living.nqn, living.disk);
  await pass(2_000);
  assert.equal(stateOf(world, living), "connected");
  assert.ok(world.kernel.controllers.has(living.nqn));
});

test("tick() tries each of 100 volumes of an appliance that is silent in its turn", async () => {
  const { tried, lose, pass } = await dead(100);
  lose();
  await pass(60_000);
  assert.equal(tried.size, 100);
});
