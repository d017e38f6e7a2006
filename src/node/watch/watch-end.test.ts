import assert from "node:assert/strict";
import test from "node:test";
import { GiB } from "#lib/bytes.ts";
import { unpublish } from "#node/unpublish.ts";
import { unstage } from "#node/unstage.ts";
import { FakeDisk } from "#test/fakes/node/fake-disk.ts";
import { stagingPathOf, targetPathOf } from "#test/fakes/node/node-world.ts";
import { assertAllWritten, inUse, stateOf, write } from "#test/fakes/watch/in-use.ts";
import { WatchedWorld } from "#test/fakes/watch/watched-world.ts";

const dayMs = 24 * 3_600_000;

test("tick() tells that acknowledged writes may be lost when the namespace has another identity", async () => {
  const world = new WatchedWorld();
  const first = world.attach("pvc-a");
  world.identities.set(first.nqn, "uuid.one");
  const volume = await inUse(world);
  world.kernel.lose(volume.nqn);
  await world.pass(2_000);
  world.identities.set(volume.nqn, "uuid.two");
  world.kernel.exports.set(volume.nqn, volume.disk);
  world.kernel.restore(volume.nqn, { renumbered: true });
  await world.pass(2_000);
  assert.equal(stateOf(world, volume), "doubtful");
  assert.match(
    world.health.conditionOf("pvc-a")?.message ?? "",
    /^The appliance may have crashed: writes acknowledged before 20.*Z may be lost$/,
  );
  assert.deepEqual(world.decisions, ["wait", "prove-and-swap"]);
});

test("tick() ends the hold at another identity when the StorageClass says fail", async () => {
  const world = new WatchedWorld();
  world.identities.set(world.attach("pvc-a").nqn, "uuid.one");
  const volume = await inUse(world, { onApplianceRestart: "fail" });
  world.kernel.lose(volume.nqn);
  await world.pass(2_000);
  world.identities.set(volume.nqn, "uuid.two");
  world.kernel.exports.set(volume.nqn, volume.disk);
  world.kernel.restore(volume.nqn, { renumbered: true });
  await world.pass(2_000);
  assert.equal(stateOf(world, volume), "failed");
  assert.throws(() => write(world, volume, "after"), /EIO/);
  assert.equal(world.kernel.controllers.has(volume.nqn), false);
});

test("tick() ends a hold after ioHoldSeconds, not before, and lets it be unstaged", async () => {
  const world = new WatchedWorld();
  const volume = await inUse(world, { ioHoldSeconds: 30 });
  world.kernel.lose(volume.nqn);
  await world.pass(29_000);
  assert.equal(stateOf(world, volume), "waiting");
  write(world, volume, "during");
  await world.pass(2_500);
  assert.equal(stateOf(world, volume), "failed");
  assert.throws(() => write(world, volume, "after"), /EIO/);
  assert.match(
    world.health.conditionOf("pvc-a")?.message ?? "",
    /ioHoldSeconds \(30\) have passed/,
  );
  await world.pass(60_000);
  assert.equal(world.kernel.controllers.has(volume.nqn), false, "it is not connected again");
  const targetPath = targetPathOf(volume, "pod");
  await unpublish({ volumeId: "pvc-a", targetPath }, world.host, world.ctx);
  await unstage({ volumeId: "pvc-a", stagingPath: stagingPathOf(volume) }, world.host, world.ctx);
  await world.pass(1_000);
  assert.equal(world.health.conditionOf("pvc-a"), undefined);
  assert.equal(world.kernel.holds.size, 0);
});

test("tick() does not end a hold before ioHoldSeconds because somebody sets the date forward in an outage", async () => {
  const world = new WatchedWorld();
  const volume = await inUse(world, { ioHoldSeconds: 30 });
  world.kernel.lose(volume.nqn);
  await world.pass(5_000);
  world.clock.setDateBy(dayMs);
  await world.pass(24_000);
  assert.equal(stateOf(world, volume), "waiting");
  assert.equal(world.kernel.holds.get(volume.nqn)?.isQueueing, true);
  write(world, volume, "during");
  await world.pass(2_500);
  assert.equal(stateOf(world, volume), "failed");
});

test("tick() ends a hold after ioHoldSeconds although somebody sets the date back in the outage", async () => {
  const world = new WatchedWorld();
  const volume = await inUse(world, { ioHoldSeconds: 30 });
  world.kernel.lose(volume.nqn);
  await world.pass(5_000);
  world.clock.setDateBy(-dayMs);
  await world.pass(26_500);
  assert.equal(stateOf(world, volume), "failed");
});

test("tick() ends a hold whose attachment has gone, and asks no more", async () => {
  const world = new WatchedWorld();
  const volume = await inUse(world);
  world.attachment = "ended";
  world.kernel.lose(volume.nqn);
  await world.pass(9_000);
  assert.equal(world.asked, 0, "a short outage is not Kubernetes' business");
  await world.pass(15_000);
  assert.equal(stateOf(world, volume), "failed");
  await world.pass(200_000);
  assert.equal(world.asked, 1);
});

test("tick() ends a hold whose attachment goes in the middle of the incident", async () => {
  const world = new WatchedWorld();
  const volume = await inUse(world);
  world.kernel.lose(volume.nqn);
  await world.pass(300_000);
  assert.equal(stateOf(world, volume), "waiting");
  assert.ok(world.asked >= 3 && world.asked <= 6, `asked ${world.asked} times in five minutes`);
  world.attachment = "ended";
  await world.pass(75_000);
  assert.equal(stateOf(world, volume), "failed");
  assert.throws(() => write(world, volume, "after"), /EIO/);
});

test("tick() goes on holding while nobody can tell of the attachment", async () => {
  const world = new WatchedWorld();
  const volume = await inUse(world);
  world.attachment = "unknown";
  world.kernel.lose(volume.nqn);
  write(world, volume, "during");
  await world.pass(300_000);
  assert.equal(stateOf(world, volume), "waiting");
  assert.ok(world.asked >= 3 && world.asked <= 6, `asked ${world.asked} times in five minutes`);
});

test("tick() refuses what came back with other content, keeps the hold, and takes the volume when it is back", async () => {
  const world = new WatchedWorld();
  const volume = await inUse(world);
  write(world, volume, "before");
  const impostor = new FakeDisk(GiB);
  impostor.format("ext4");
  impostor.format("ext4");
  world.kernel.drop(volume.nqn);
  world.kernel.exports.set(volume.nqn, impostor);
  write(world, volume, "during");
  await world.pass(5_000);
  assert.equal(stateOf(world, volume), "refused");
  assert.match(
    world.health.conditionOf("pvc-a")?.message ?? "",
    /is not the volume: its file system has the UUID "uuid-2", that of the volume is "uuid-1"/,
  );
  assert.equal(impostor.files.size, 0);
  world.kernel.exports.set(volume.nqn, volume.disk);
  world.kernel.disconnect(volume.nqn);
  await world.pass(15_000);
  assert.equal(stateOf(world, volume), "connected");
  write(world, volume, "after");
  assertAllWritten(world, volume);
});

test("tick() refuses a device that is smaller than the hold", async () => {
  const world = new WatchedWorld();
  const volume = await inUse(world);
  world.kernel.drop(volume.nqn);
  volume.disk.sizeBytes = GiB / 2;
  await world.pass(5_000);
  assert.equal(stateOf(world, volume), "refused");
  assert.equal(world.kernel.holds.get(volume.nqn)?.isQueueing, true);
});

test("tick() leaves a volume to the CO that was unmounted in an incident, and does not say that it works", async () => {
  const world = new WatchedWorld({ canHold: false });
  const volume = await inUse(world, { mode: "remount" });
  world.kernel.exports.delete(volume.nqn);
  world.kernel.drop(volume.nqn);
  await world.pass(5_000);
  assert.equal(stateOf(world, volume), "waiting");
  world.kernel.mounts.length = 0;
  await world.pass(15_000);
  assert.deepEqual(world.told.slice(-1), ["A volume is left until it is staged again"]);
  world.kernel.exports.set(volume.nqn, volume.disk);
  world.kernel.connect(volume.nqn);
  await world.pass(15_000);
  assert.deepEqual(world.kernel.mounts, []);
});
