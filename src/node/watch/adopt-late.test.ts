import assert from "node:assert/strict";
import test from "node:test";
import { DriverError } from "#domain/errors.ts";
import { abortable } from "#lib/abortable.ts";
import type { Context } from "#lib/context.ts";
import { blockUse } from "#test/fakes/node/node-world.ts";
import { inUse, stateOf } from "#test/fakes/watch/in-use.ts";
import { WatchedWorld } from "#test/fakes/watch/watched-world.ts";
import { stage } from "../stage.ts";
import { adopt } from "./adopt.ts";
import { adoptLate } from "./adopt-late.ts";

const changes = ["remove", "resume", "failQueue", "queueAgain", "status", "swap"] as const;

/** What an earlier run left: a volume in use, one that was begun, and a hold without a record; all holds are suspended. */
async function left() {
  const world = new WatchedWorld();
  const used = await inUse(world);
  for (const volumeId of ["pvc-begun", "pvc-lost"])
    await stage(world.stageRequest(world.attach(volumeId), blockUse()), world.host, world.ctx);
  const { volumes } = world.records;
  volumes.set("pvc-begun", { ...(volumes.get("pvc-begun") ?? assert.fail()), phase: "connecting" });
  volumes.delete("pvc-lost");
  for (const hold of world.kernel.holds.values()) hold.isSuspended = true;
  world.restartPlugin();
  return { world, used };
}

/** @returns how dmsetup begins to answer. */
function silence({ holds }: WatchedWorld): () => void {
  const before = Object.fromEntries(changes.map((name) => [name, holds[name]]));
  const silent = async () => {
    throw new DriverError("unavailable", "dmsetup did not end within 10 s");
  };
  for (const name of changes) Object.assign(holds, { [name]: silent });
  return () => Object.assign(holds, before);
}

test("adoptLate() does what adopt() could not do while dmsetup was silent, and the watch the rest", async () => {
  const { world, used } = await left();
  const answer = silence(world);
  await adopt(world.watchHost, world.ctx);
  await world.pass(5_000);
  assert.equal(world.kernel.holds.size, 3);
  assert.ok([...world.kernel.holds.values()].every(({ isSuspended }) => isSuspended));
  answer();
  await adoptLate(world.watchHost, world.locks, world.ctx);
  await world.pass(12_000);
  assert.deepEqual([...world.kernel.holds.keys()], [used.nqn]);
  assert.equal(world.kernel.holds.get(used.nqn)?.isSuspended, false);
  assert.equal(stateOf(world, used), "connected");
  assert.deepEqual([...world.records.volumes.keys()], ["pvc-a"]);
  assert.deepEqual(world.kernel.damage, []);
});

test("adoptLate() leaves alone what a call is busy with, and what a record may name that cannot be read", async () => {
  const { world } = await left();
  const lock = world.locks.tryAcquire("pvc-begun");
  world.records.damaged.add("pvc-a");
  await adoptLate(world.watchHost, world.locks, world.ctx);
  assert.equal(world.kernel.holds.size, 3);
  assert.ok(world.records.volumes.has("pvc-begun"));
  lock?.[Symbol.dispose]();
  await adoptLate(world.watchHost, world.locks, world.ctx);
  assert.equal(world.kernel.holds.size, 2);
  assert.equal(world.records.volumes.has("pvc-begun"), false);
});

test("adoptLate() leaves alone what a call has staged since its list was made", async () => {
  const { world } = await left();
  const volume = world.attach("pvc-begun");
  const { list } = world.records;
  world.watchHost.records.list = async (ctx) => {
    const found = await list.call(world.records, ctx);
    const record = world.records.volumes.get("pvc-begun") ?? assert.fail();
    world.records.volumes.set("pvc-begun", { ...record, phase: "staged" });
    return found;
  };
  await adoptLate(world.watchHost, world.locks, world.ctx);
  assert.ok(world.kernel.holds.has(volume.nqn));
  assert.ok(world.kernel.controllers.has(volume.nqn));
});

test("adoptLate() leaves alone what a tool is busy with that a call of this life has begun", async () => {
  const { world } = await left();
  const { nqn } = world.records.volumes.get("pvc-begun")?.target ?? assert.fail();
  const forever = new Promise<void>(() => {});
  const run = ({ signal }: Context) => abortable(forever, signal);
  const call = world.tools.run(nqn, { kind: "check", name: "fsck", run }, world.ctx);
  await adoptLate(world.watchHost, world.locks, world.ctx);
  assert.ok(world.tools.has(nqn));
  assert.ok(world.kernel.controllers.has(nqn));
  assert.ok(world.records.volumes.has("pvc-begun"));
  await world.tools.end(nqn, world.ctx);
  await assert.rejects(call);
});
