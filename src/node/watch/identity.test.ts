import assert from "node:assert/strict";
import test from "node:test";
import type { ReconnectPolicy } from "#domain/reconnect.ts";
import { stage } from "#node/stage.ts";
import { blockUse } from "#test/fakes/node/node-world.ts";
import { assertAllWritten, inUse, stateOf, write } from "#test/fakes/watch/in-use.ts";
import { WatchedWorld } from "#test/fakes/watch/watched-world.ts";

/** A volume in use, whose record knows the namespace by `uuid.one`. */
async function setUp(reconnect: Partial<ReconnectPolicy> = {}) {
  const world = new WatchedWorld();
  world.identities.set(world.attach("pvc-a").nqn, "uuid.one");
  const volume = await inUse(world, reconnect);
  write(world, volume, "before");
  const recorded = () => world.records.volumes.get("pvc-a");
  assert.equal(recorded()?.identity, "uuid.one");
  return { world, volume, recorded };
}

type SetUp = Awaited<ReturnType<typeof setUp>>;

/** The appliance restarts, and nobody looks. */
function restartAppliance({ world, volume }: SetUp, identity = "uuid.two"): void {
  world.kernel.lose(volume.nqn);
  write(world, volume, "during");
  world.identities.set(volume.nqn, identity);
  world.kernel.restore(volume.nqn, { renumbered: true });
}

test("stage() records the identity of the namespace, and a calm volume is not recorded again", async () => {
  const { world, volume, recorded } = await setUp();
  const record = recorded();
  await world.pass(20_000);
  await stage(world.stageRequest(volume), world.host, world.ctx);
  assert.equal(recorded(), record);
});

test("a volume that was staged before identities were recorded is no doubt, and is recorded once", async () => {
  const { world, volume, recorded } = await setUp();
  const { identity: _identity, ...before } = recorded() ?? assert.fail();
  world.records.volumes.set("pvc-a", before);
  world.restartPlugin();
  await world.pass(2_000);
  assert.equal(stateOf(world, volume), "connected");
  assert.deepEqual(recorded(), { ...before, identity: "uuid.one" });
  const record = recorded();
  await world.pass(20_000);
  assert.equal(recorded(), record);
});

test("a restart of the appliance that no plugin saw is noticed by the next one", async () => {
  const it = await setUp();
  const { world, volume, recorded } = it;
  restartAppliance(it);
  world.restartPlugin();
  await world.pass(3_000);
  write(world, volume, "after");
  assertAllWritten(world, volume);
  assert.equal(stateOf(world, volume), "doubtful");
  assert.equal(recorded()?.identity, "uuid.two");
  assert.deepEqual(world.decisions, ["prove-and-swap"]);
});

test("doubt outlives the plugin that noticed", async () => {
  const it = await setUp();
  const { world, volume, recorded } = it;
  restartAppliance(it);
  await world.pass(3_000);
  const said = world.health.conditionOf("pvc-a");
  assert.equal(said?.state, "doubtful");
  world.restartPlugin();
  await world.pass(3_000);
  assert.deepEqual(world.health.conditionOf("pvc-a"), said);
  await stage(world.stageRequest(volume), world.host, world.ctx);
  assert.notEqual(recorded()?.doubtfulSince, undefined, "it is in use, and staged already");
});

test("onApplianceRestart: fail ends the hold of a volume whose appliance restarted while no plugin ran", async () => {
  const it = await setUp({ onApplianceRestart: "fail" });
  const { world, volume, recorded } = it;
  restartAppliance(it);
  world.restartPlugin();
  await world.pass(3_000);
  assert.equal(stateOf(world, volume), "failed");
  assert.throws(() => write(world, volume, "after"), /EIO/);
  assert.deepEqual([...volume.disk.files.keys()], ["before"]);
  assert.equal(world.kernel.controllers.has(volume.nqn), false);
  assert.equal(recorded()?.identity, "uuid.one", "it was never used under the other");
  world.restartPlugin();
  await world.pass(3_000);
  assert.equal(stateOf(world, volume), "failed");
  assert.equal(world.kernel.controllers.has(volume.nqn), false, "nobody connects it again");
});

test("a plugin that ended right after a swap leaves the doubt to the next one", async () => {
  const it = await setUp();
  const { world, volume, recorded } = it;
  const { save } = world.records;
  restartAppliance(it);
  world.watchHost.records.save = async () => {
    throw new Error("killed");
  };
  await world.pass(3_000);
  assert.equal(recorded()?.identity, "uuid.one");
  world.watchHost.records.save = save.bind(world.records);
  world.restartPlugin();
  await world.pass(3_000);
  assert.equal(stateOf(world, volume), "doubtful");
  assert.equal(recorded()?.identity, "uuid.two");
});

test("a record that cannot be written is tried again, and the volume works meanwhile", async () => {
  const it = await setUp();
  const { world, volume, recorded } = it;
  const { save } = world.records;
  world.watchHost.records.save = async () => {
    throw new Error("no space");
  };
  restartAppliance(it);
  await world.pass(5_000);
  assert.equal(stateOf(world, volume), "doubtful");
  write(world, volume, "after");
  assertAllWritten(world, volume);
  const failures = world.warnings.filter((line) => line === "Cannot bring a volume back yet");
  assert.equal(failures.length, 1);
  world.watchHost.records.save = save.bind(world.records);
  await world.pass(12_000);
  assert.equal(recorded()?.identity, "uuid.two");
});

for (const use of ["file system", "raw block"] as const)
  test(`staging a ${use} afresh after a reboot of the node ends the doubt, whatever the identity is by then`, async () => {
    const world = new WatchedWorld();
    const volume = world.attach("pvc-a");
    const request =
      use === "raw block" ? world.stageRequest(volume, blockUse()) : world.stageRequest(volume);
    world.identities.set(volume.nqn, "uuid.one");
    await stage(request, world.host, world.ctx);
    const record = world.records.volumes.get("pvc-a") ?? assert.fail();
    world.records.volumes.set("pvc-a", { ...record, doubtfulSince: "2026-01-01T00:00:00.000Z" });
    world.kernel.reboot();
    world.identities.set(volume.nqn, "uuid.two");
    world.restartPlugin();
    await world.pass(2_000);
    await stage(request, world.host, world.ctx);
    await world.pass(2_000);
    assert.equal(stateOf(world, volume), "connected");
    const { identity, doubtfulSince } = world.records.volumes.get("pvc-a") ?? assert.fail();
    assert.deepEqual([identity, doubtfulSince], ["uuid.two", undefined]);
  });
