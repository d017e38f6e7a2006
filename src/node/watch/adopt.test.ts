import assert from "node:assert/strict";
import test from "node:test";
import { publish } from "#node/publish.ts";
import { stage } from "#node/stage.ts";
import { stagingPathOf } from "#test/fakes/node/node-world.ts";
import { WatchedWorld } from "#test/fakes/watch/watched-world.ts";
import { adopt } from "./adopt.ts";

async function staged(world: WatchedWorld, volumeId = "pvc-a") {
  const volume = world.attach(volumeId);
  await stage(world.stageRequest(volume), world.host, world.ctx);
  await publish(world.publishRequest(volume, "pod"), world.host, world.ctx);
  world.log.records.length = 0;
  return volume;
}

test("adopt() tells of each volume what it found", async () => {
  const world = new WatchedWorld();
  const volume = await staged(world);
  await adopt(world.watchHost, world.ctx);
  const { path, majorMinor } = world.kernel.holds.get(volume.nqn) ?? assert.fail();
  assert.deepEqual(
    world.log.records.map(({ message, fields }) => [message, fields]),
    [
      [
        "Found a volume of an earlier run",
        {
          volumeId: "pvc-a",
          nqn: volume.nqn,
          phase: "staged",
          connection: "live",
          device: "/dev/nvme0n1",
          hold: path,
          mounted: majorMinor,
        },
      ],
    ],
  );
});

test("adopt() resumes a hold whose change was interrupted, also one without a record", async () => {
  const world = new WatchedWorld();
  const volumes = [await staged(world, "pvc-a"), await staged(world, "pvc-b")];
  for (const hold of world.kernel.holds.values()) hold.isSuspended = true;
  world.records.volumes.delete("pvc-b");
  await adopt(world.watchHost, world.ctx);
  for (const { nqn } of volumes) assert.equal(world.kernel.holds.get(nqn)?.isSuspended, false);
});

test("adopt() leaves a hold parked whose volume is away", async () => {
  const world = new WatchedWorld();
  const volume = await staged(world);
  const hold = world.kernel.holds.get(volume.nqn) ?? assert.fail();
  world.kernel.drop(volume.nqn);
  hold.isSuspended = true;
  await adopt(world.watchHost, world.ctx);
  assert.equal(hold.isSuspended, true);
  assert.ok(world.warnings.includes("Left a hold parked: its volume is away"));
});

test("adopt() lets a hold queue again that was left in the middle of passing errors on", async () => {
  const world = new WatchedWorld();
  const volume = await staged(world);
  const hold = world.kernel.holds.get(volume.nqn) ?? assert.fail();
  hold.isQueueing = false;
  await adopt(world.watchHost, world.ctx);
  assert.equal(hold.isQueueing, true);
  assert.deepEqual(world.warnings, ["Closed a hold that had been passing on errors"]);
});

test("adopt() leaves a hold ended whose device has gone", async () => {
  const world = new WatchedWorld();
  const volume = await staged(world);
  await world.holds.failQueue(volume.nqn, world.ctx);
  world.kernel.drop(volume.nqn);
  await adopt(world.watchHost, world.ctx);
  assert.equal(world.kernel.holds.get(volume.nqn)?.isQueueing, false);
  assert.deepEqual(world.warnings, []);
});

test("adopt() removes a hold that no record names and nobody uses, and disconnects nothing", async () => {
  const world = new WatchedWorld();
  const volume = world.attach("pvc-a");
  world.kernel.connect(volume.nqn);
  await world.holds.create(world.kernel.find(volume.nqn) ?? assert.fail(), world.ctx);
  await adopt(world.watchHost, world.ctx);
  assert.equal(world.kernel.holds.size, 0);
  assert.ok(world.kernel.controllers.has(volume.nqn));
  assert.deepEqual(world.told, ["Removed a hold that nobody uses and no record names"]);
});

test("adopt() leaves a hold alone that is open, whatever the records say", async () => {
  const world = new WatchedWorld();
  const volume = await staged(world);
  world.records.volumes.clear();
  await adopt(world.watchHost, world.ctx);
  assert.ok(world.kernel.holds.has(volume.nqn));
  assert.deepEqual(world.warnings, ["Left a hold alone that no record names"]);
});

test("adopt() removes no hold that a damaged record may name, and goes on with the other volumes", async () => {
  const world = new WatchedWorld();
  const whole = await staged(world, "pvc-a");
  const damaged = world.attach("pvc-b");
  await stage(world.stageRequest(damaged), world.host, world.ctx);
  const other = world.attach("pvc-c");
  world.kernel.connect(other.nqn);
  await world.holds.create(world.kernel.find(other.nqn) ?? assert.fail(), world.ctx);
  world.kernel.mounts = world.kernel.mounts.filter(({ target }) => !target.includes("pvc-b"));
  world.records.damaged.add("pvc-b");
  world.log.records.length = 0;
  await adopt(world.watchHost, world.ctx);
  for (const { nqn } of [whole, damaged, other]) assert.ok(world.kernel.holds.has(nqn));
  const left = "Left a hold alone: a record that cannot be read may name it";
  assert.deepEqual(world.told, ["Found a volume of an earlier run", left, left]);
});

test("adopt() takes away what staging that died at any moment had begun, or leaves it to be gone on from", async () => {
  const calls = await callsOfStage();
  const seen = new Set<string>();
  for (let at = 0; at < calls; at++)
    for (const when of ["before", "after"] as const) {
      const world = new WatchedWorld();
      const volume = world.attach("pvc-a");
      world.faults.arm({ at, what: "die", when });
      await stage(world.stageRequest(volume), world.host, world.ctx).catch(() => {});
      world.faults.arm();
      await adopt(world.watchHost, world.ctx);
      const record = world.records.volumes.get("pvc-a");
      const isMounted = world.topmost(stagingPathOf(volume)) !== undefined;
      seen.add(`${record?.phase} ${isMounted}`);
      if (record === undefined)
        assert.deepEqual([world.kernel.controllers.size, world.kernel.holds.size], [0, 0]);
      await stage(world.stageRequest(volume), world.host, world.ctx);
      assert.deepEqual(world.kernel.damage, []);
    }
  const outcomes = ["undefined false", "formatting false", "connecting true", "staged true"];
  assert.deepEqual([...seen].sort(), outcomes.sort());
});

async function callsOfStage(): Promise<number> {
  const world = new WatchedWorld();
  world.faults.arm();
  await stage(world.stageRequest(world.attach("pvc-a")), world.host, world.ctx);
  return world.faults.calls;
}

test("adopt() takes away what was begun also while the target is away", async () => {
  const world = new WatchedWorld();
  const volume = await staged(world);
  const record = world.records.volumes.get("pvc-a") ?? assert.fail();
  world.records.volumes.set("pvc-a", { ...record, phase: "connecting" });
  world.kernel.mounts = [];
  world.kernel.lose(volume.nqn);
  await adopt(world.watchHost, world.ctx);
  assert.equal(world.kernel.controllers.size, 0);
  assert.equal(world.records.volumes.size, 0);
  assert.ok(world.told.includes("Took away what an earlier run had begun and not finished"));
});

test("adopt() leaves what was begun and somebody uses", async () => {
  const world = new WatchedWorld();
  await staged(world);
  const record = world.records.volumes.get("pvc-a") ?? assert.fail();
  world.records.volumes.set("pvc-a", { ...record, phase: "connecting" });
  world.kernel.mounts = world.kernel.mounts.filter(({ target }) => target.includes("/pods/"));
  await adopt(world.watchHost, world.ctx);
  assert.equal(world.kernel.controllers.size, 1);
  assert.equal(world.kernel.holds.size, 1);
  assert.deepEqual(world.warnings, ["Left what an earlier run had begun"]);
});

test("adopt() survives records that cannot be read", async () => {
  const world = new WatchedWorld();
  const volume = await staged(world);
  const hold = world.kernel.holds.get(volume.nqn) ?? assert.fail();
  hold.isSuspended = true;
  const records = {
    ...world.watchHost.records,
    list: async () => {
      throw new Error("damaged");
    },
  };
  await adopt({ ...world.watchHost, records }, world.ctx);
  assert.equal(hold.isSuspended, false);
  assert.ok(world.told.includes("Cannot match what an earlier run left on this node"));
});
