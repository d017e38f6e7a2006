import assert from "node:assert/strict";
import test from "node:test";
import { publish } from "#node/publish.ts";
import { stage } from "#node/stage.ts";
import { unstage } from "#node/unstage.ts";
import { blockUse, stagingPathOf, targetPathOf } from "#test/fakes/node/node-world.ts";
import { assertAllWritten, inUse, stateOf, write } from "#test/fakes/watch/in-use.ts";
import { WatchedWorld } from "#test/fakes/watch/watched-world.ts";
import { Watch } from "./watch.ts";

const dayMs = 24 * 3_600_000;

test("tick() leaves a short outage to the kernel, and tells of it", async () => {
  const world = new WatchedWorld();
  const volume = await inUse(world);
  write(world, volume, "before");
  world.kernel.lose(volume.nqn);
  write(world, volume, "during");
  await world.pass(2_000);
  assert.equal(stateOf(world, volume), "waiting");
  world.kernel.restore(volume.nqn, { renumbered: false });
  await world.pass(1_000);
  assert.equal(stateOf(world, volume), "connected");
  write(world, volume, "after");
  assertAllWritten(world, volume);
  assert.deepEqual(world.decisions, ["wait"]);
  assert.deepEqual(world.told.slice(-3), [
    "A volume lost its connection",
    "Decided about a volume",
    "A volume works again",
  ]);
});

test("tick() connects again what the kernel gave up, and puts the hold on the new device", async () => {
  const world = new WatchedWorld();
  const volume = await inUse(world);
  write(world, volume, "before");
  world.kernel.exports.delete(volume.nqn);
  world.kernel.drop(volume.nqn);
  write(world, volume, "during");
  await world.pass(30_000);
  assert.equal(stateOf(world, volume), "waiting");
  world.kernel.exports.set(volume.nqn, volume.disk);
  await world.pass(3_000);
  assert.equal(stateOf(world, volume), "connected");
  write(world, volume, "after");
  assertAllWritten(world, volume);
  assert.deepEqual(world.decisions, ["connect", "prove-and-swap"]);
  assert.equal(
    world.told.filter((line) => line === "Cannot bring a volume back yet").length,
    1,
    "what repeats is logged once",
  );
});

test("tick() goes on looking and connecting when somebody sets the date back by a day", async () => {
  const world = new WatchedWorld();
  const volume = await inUse(world);
  world.clock.setDateBy(-dayMs);
  world.kernel.exports.delete(volume.nqn);
  world.kernel.drop(volume.nqn);
  await world.pass(2_000);
  assert.equal(stateOf(world, volume), "waiting");
  world.clock.setDateBy(-dayMs);
  world.kernel.exports.set(volume.nqn, volume.disk);
  await world.pass(3_000);
  assert.equal(stateOf(world, volume), "connected");
  assert.deepEqual(world.decisions, ["connect", "prove-and-swap"]);
});

test("tick() rescans an orphan, and connects it anew when that does not help", async () => {
  const world = new WatchedWorld();
  const volume = await inUse(world);
  write(world, volume, "before");
  const controller = world.kernel.controllers.get(volume.nqn);
  assert.ok(controller);
  controller.device = undefined;
  write(world, volume, "during");
  await world.pass(3_000);
  assert.equal(stateOf(world, volume), "connected");
  write(world, volume, "after");
  assertAllWritten(world, volume);
  assert.deepEqual(world.decisions, ["rescan", "prove-and-swap"]);
});

test("tick() does not swap to a device that cannot be read, and does when it can", async () => {
  const world = new WatchedWorld();
  const volume = await inUse(world);
  world.kernel.drop(volume.nqn);
  for (const index of [0, 1, 2]) world.unreadable.add(`/dev/nvme${index}n1`);
  await world.pass(5_000);
  assert.equal(stateOf(world, volume), "waiting");
  const reason = 'Cannot read "/dev/nvme1n1": Input/output error';
  assert.equal(world.health.conditionOf("pvc-a")?.obstacle, reason);
  world.unreadable.clear();
  await world.pass(3_000);
  assert.equal(stateOf(world, volume), "connected");
});

test("tick() resumes a hold that was left suspended", async () => {
  const world = new WatchedWorld();
  const volume = await inUse(world);
  const hold = world.kernel.holds.get(volume.nqn);
  assert.ok(hold);
  hold.isSuspended = true;
  await world.pass(12_000);
  assert.equal(hold.isSuspended, false);
  assert.equal(stateOf(world, volume), "connected");
});

test("tick() passes an error on that is no outage, says so, and looks out for more", async () => {
  const world = new WatchedWorld();
  const volume = await inUse(world);
  const { holds } = world;
  const [status, passErrors] = [holds.status.bind(holds), holds.passErrors.bind(holds)];
  const isStuck = () => world.stuck.has(volume.nqn);
  let passed = 0;
  holds.status = async (...args) => ({
    ...(await status(...args)),
    ...(isStuck() && { paths: ["failed", "failed"] }),
  });
  holds.passErrors = async (...args) => {
    await passErrors(...args);
    world.stuck.clear();
    passed++;
  };
  world.stuck.add(volume.nqn);
  await world.pass(12_000);
  assert.deepEqual(world.decisions, ["reinstate", "reset", "reinstate", "pass-errors"]);
  assert.equal(passed, 1);
  assert.equal(stateOf(world, volume), "damaged");
  world.stuck.add(volume.nqn);
  await world.pass(2_000);
  assert.equal(passed, 2, "the next one within two seconds");
});

test("tick() leaves a volume alone that a call is busy with", async () => {
  const world = new WatchedWorld();
  const volume = await inUse(world);
  world.kernel.drop(volume.nqn);
  const lock = world.locks.tryAcquire("pvc-a");
  await world.pass(5_000);
  assert.deepEqual(world.decisions, []);
  assert.equal(world.kernel.controllers.has(volume.nqn), false);
  lock?.[Symbol.dispose]();
  await world.pass(2_000);
  assert.equal(stateOf(world, volume), "connected");
});

test("tick() does not let a volume that hangs delay another", async () => {
  const world = new WatchedWorld();
  const slow = await inUse(world, {}, "pvc-slow");
  const quick = await inUse(world, {}, "pvc-quick");
  const { promise, resolve } = Promise.withResolvers<void>();
  const rescan = world.watchHost.initiator.connect;
  world.watchHost.initiator.connect = async (target, options, ctx) => {
    if (target.nqn === slow.nqn) await promise;
    await rescan.call(world.watchHost.initiator, target, options, ctx);
  };
  world.kernel.drop(slow.nqn);
  world.kernel.drop(quick.nqn);
  for (let look = 0; look < 20; look++) {
    world.clock.advance(250);
    await world.watch.tick();
    await new Promise((next) => setImmediate(next));
  }
  assert.equal(stateOf(world, quick), "connected");
  assert.equal(stateOf(world, slow), "waiting");
  resolve();
  await world.pass(3_000);
  assert.equal(stateOf(world, slow), "connected");
});

test("tick() never gives two volumes each other's device when they come back swapped", async () => {
  const world = new WatchedWorld();
  const [one, two] = [await inUse(world, {}, "pvc-a"), await inUse(world, {}, "pvc-b")];
  for (const volume of [one, two]) world.kernel.exports.delete(volume.nqn);
  for (const volume of [one, two]) world.kernel.drop(volume.nqn);
  for (const volume of [one, two]) write(world, volume, "during");
  await world.pass(5_000);
  for (const volume of [two, one]) world.kernel.exports.set(volume.nqn, volume.disk);
  await world.pass(5_000);
  for (const volume of [one, two]) {
    assert.equal(stateOf(world, volume), "connected");
    assert.deepEqual([...volume.disk.files.keys()], ["during"]);
    assert.equal(world.kernel.holds.get(volume.nqn)?.under.disk, volume.disk);
  }
  assert.deepEqual(world.kernel.damage, []);
});

test("tick() does not swap to a number that has become another volume's since the proof", async () => {
  const world = new WatchedWorld();
  const [volume, other] = [await inUse(world, {}, "pvc-a"), await inUse(world, {}, "pvc-b")];
  for (const { nqn } of [volume, other]) world.kernel.exports.delete(nqn);
  for (const { nqn } of [volume, other]) world.kernel.drop(nqn);
  write(world, volume, "during");
  await world.pass(5_000);
  const { holds } = world;
  const swap = holds.swap.bind(holds);
  const numbers: (string | undefined)[] = [];
  holds.swap = async (device, isStill, ctx) => {
    holds.swap = swap;
    world.kernel.drop(volume.nqn);
    world.kernel.exports.set(other.nqn, other.disk);
    world.kernel.connect(other.nqn);
    numbers.push(device.majorMinor, world.kernel.find(other.nqn)?.majorMinor);
    await swap(device, isStill, ctx);
  };
  world.kernel.exports.set(volume.nqn, volume.disk);
  await world.pass(10_000);
  assert.equal(numbers.length, 2);
  assert.equal(numbers[0], numbers[1], "the number is the other volume's");
  assert.equal(stateOf(world, volume), "connected");
  assert.deepEqual([...volume.disk.files.keys()], ["during"]);
  assert.deepEqual([...other.disk.files.keys()], []);
  assert.deepEqual(world.kernel.damage, []);
});

test("tick() mounts a volume without hold again, and tells which pods keep the dead mount", async () => {
  const world = new WatchedWorld({ canHold: false });
  const volume = await inUse(world, { mode: "remount" });
  world.kernel.drop(volume.nqn);
  await world.pass(5_000);
  const staged = world.topmost(stagingPathOf(volume));
  assert.equal(staged?.majorMinor, world.kernel.find(volume.nqn)?.majorMinor);
  assert.equal(world.mountsAt(stagingPathOf(volume)).length, 1);
  assert.equal(stateOf(world, volume), "stale");
  assert.match(world.health.conditionOf("pvc-a")?.message ?? "", /restart them$/);
  await publish(world.publishRequest(volume, "next-pod"), world.host, world.ctx);
  world.write(targetPathOf(volume, "next-pod"), "after", "");
  assert.ok(volume.disk.files.has("after"));
  assert.deepEqual(world.kernel.damage, []);
});

test("tick() connects a raw block volume again and puts its hold on what came back", async () => {
  const world = new WatchedWorld();
  const volume = world.attach("pvc-a");
  await stage(world.stageRequest(volume, blockUse()), world.host, world.ctx);
  await publish(world.publishRequest(volume, "pod", blockUse()), world.host, world.ctx);
  await world.pass(1_500);
  const before = world.kernel.holds.get(volume.nqn)?.majorMinor;
  world.kernel.drop(volume.nqn);
  await world.pass(5_000);
  assert.equal(stateOf(world, volume), "connected");
  assert.equal(world.kernel.holds.get(volume.nqn)?.majorMinor, before);
});

test("tick() does not connect a volume that nobody has mounted since a reboot", async () => {
  const world = new WatchedWorld();
  const volume = await inUse(world);
  world.kernel.reboot();
  const again = new WatchedWorld();
  again.records.volumes.set("pvc-a", [...world.records.volumes.values()][0] ?? assert.fail());
  again.kernel.exports.set(volume.nqn, volume.disk);
  await again.pass(20_000);
  assert.equal(again.kernel.controllers.size, 0);
});

test("tick() looks after the others beside a damaged record, tells of it once, and takes it when it is whole again", async () => {
  const world = new WatchedWorld();
  const [one, two] = [await inUse(world, {}, "pvc-a"), await inUse(world, {}, "pvc-b")];
  world.records.damaged.add("pvc-b");
  for (const { nqn } of [one, two]) world.kernel.drop(nqn);
  await world.pass(5_000);
  assert.equal(stateOf(world, one), "connected");
  assert.equal(stateOf(world, two), undefined);
  assert.equal(world.kernel.controllers.has(two.nqn), false);
  const reason = 'Cannot read "/state/volumes/pvc-b.json": it is not JSON';
  assert.deepEqual(
    world.log.records.filter(({ level }) => level === "error"),
    [
      {
        level: "error",
        message: "Cannot look after a volume: its record is damaged",
        fields: { path: "/state/volumes/pvc-b.json", reason },
      },
    ],
  );
  const unstaging = { volumeId: "pvc-b", stagingPath: stagingPathOf(two) };
  await assert.rejects(unstage(unstaging, world.host, world.ctx), { message: reason });
  world.records.damaged.clear();
  await world.pass(5_000);
  assert.equal(stateOf(world, two), "connected");
});

test("start() goes on with what it knew when the records cannot be read, says so once, and ends", async () => {
  const world = new WatchedWorld();
  const volume = await inUse(world);
  // Time that passes as fast as the event loop turns.
  const sleep = async (milliseconds: number) => {
    world.clock.advance(milliseconds);
    await new Promise<void>((next) => setImmediate(next));
  };
  const clock = {
    now: () => world.clock.now(),
    elapsed: () => world.clock.elapsed(),
    sleep,
  };
  let isDamaged = false;
  const list = world.records.list.bind(world.records);
  world.records.list = async (ctx) => {
    if (isDamaged) throw new Error("the disk is on fire");
    return await list(ctx);
  };
  const host = { ...world.watchHost, clock };
  await using watch = new Watch({ host, locks: world.locks, log: world.log });
  await watch.tick();
  isDamaged = true;
  world.kernel.drop(volume.nqn);
  watch.start();
  while (!world.told.includes("A volume works again")) await sleep(0);
  const failures = world.log.records.filter(({ level }) => level === "error");
  assert.deepEqual(
    failures.map(({ message }) => message),
    ["Cannot read which volumes are staged: going on with those known"],
  );
});
