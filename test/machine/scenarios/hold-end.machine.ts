import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import test from "node:test";
import { waitFor } from "../rig/wait-for.ts";
import { neverGivesUp, sh, World } from "../rig/world.ts";
import { Writer } from "../rig/writer.ts";

/** A held volume with a process that writes to it, whose target has just gone for good. */
async function setUp(world: World) {
  const volume = world.volume("a", 64);
  world.export(volume);
  const device = await world.connect(volume, neverGivesUp);
  const hold = await world.holds.create(device, world.ctx);
  const mountPoint = await world.mountNew(hold.path, "ext4");
  const writer = new Writer(`${mountPoint}/records`);
  await writer.progress();
  world.target.unexport(volume.nqn);
  await world.waitForControllers(volume, "connecting");
  return { volume, device, hold, mountPoint, writer };
}

test("failQueue() and disconnect() free a writer with EIO; unmounting and remove() do not hang", async () => {
  using world = new World();
  const { volume, mountPoint, writer } = await setUp(world);
  using _writer = writer;
  const { holds, initiator, ctx } = world;
  await holds.failQueue(volume.nqn, ctx);
  assert.equal((await holds.status(volume.nqn, ctx)).queueing, false);
  assert.equal(writer.report.error, undefined, "it waits in the namespace, not in the hold");
  await initiator.disconnect(volume.nqn, ctx);
  assert.equal((await writer.ended()).error, "EIO");
  await world.mounts.unmount(mountPoint, ctx);
  await holds.remove(volume.nqn, ctx);
  assert.deepEqual(await holds.list(ctx), []);
  assert.deepEqual(world.sysfs.list("class", "nvme-subsystem"), []);
});

test("disconnect() alone leaves the writer waiting in the hold, and failQueue() then frees it", async () => {
  using world = new World();
  const { volume, mountPoint, writer } = await setUp(world);
  using _writer = writer;
  const { holds, initiator, ctx } = world;
  await initiator.disconnect(volume.nqn, ctx);
  await waitFor("the paths have failed", async () => {
    const { paths } = await holds.status(volume.nqn, ctx);
    return paths.join() === "failed,failed";
  });
  assert.equal(writer.report.error, undefined);
  await assert.rejects(holds.remove(volume.nqn, ctx), { kind: "unavailable", message: /open$/ });
  await holds.failQueue(volume.nqn, ctx);
  assert.equal((await writer.ended()).error, "EIO");
  await world.mounts.unmount(mountPoint, ctx);
  await holds.remove(volume.nqn, ctx);
  assert.deepEqual(await holds.list(ctx), []);
});

test("queueAgain() lets a hold wait again, and a swap() then serves who waited", async () => {
  using world = new World();
  const volume = world.volume("a", 64);
  world.export(volume);
  const hold = await world.holds.create(await world.connect(volume), world.ctx);
  await world.holds.failQueue(volume.nqn, world.ctx);
  await world.holds.queueAgain(volume.nqn, world.ctx);
  assert.equal((await world.holds.status(volume.nqn, world.ctx)).queueing, true);
  await world.initiator.disconnect(volume.nqn, world.ctx);
  const reader = spawn("dd", [
    `if=${hold.path}`,
    "of=/dev/null",
    "count=8",
    "iflag=direct",
    "bs=4096",
  ]);
  const ended = once(reader, "close");
  await waitFor("the reader waits for the disk", () => {
    return / D /.test(readFileSync(`/proc/${reader.pid}/stat`, "latin1"));
  });
  await world.holds.swap(await world.connect(volume), () => true, world.ctx);
  const [exitCode] = await ended;
  assert.equal(exitCode, 0);
});

test("a hold that nobody uses is removed at once while its target is gone", async () => {
  using world = new World();
  const volume = world.volume("a", 64);
  world.export(volume);
  await world.holds.create(await world.connect(volume), world.ctx);
  world.target.unexport(volume.nqn);
  await world.waitForControllers(volume, "connecting");
  await world.holds.remove(volume.nqn, world.ctx);
  assert.deepEqual(await world.holds.list(world.ctx), []);
  await world.initiator.disconnect(volume.nqn, world.ctx);
  assert.deepEqual(world.controllers(volume), []);
});

test("swap() while I/O still waits in a dead controller ends in time, with the old table in use", async () => {
  using world = new World();
  const { volume, device, writer } = await setUp(world);
  using _writer = writer;
  const { holds, ctx } = world;
  const other = world.exportElsewhere(world.volume("b", 64));
  const elsewhere = { ...(await world.connect(other)), nqn: volume.nqn };
  await writer.stalls();
  await assert.rejects(
    holds.swap(elsewhere, () => true, ctx),
    {
      kind: "unavailable",
      message: /dmsetup did not end within 20 s$/,
    },
  );
  assert.equal((await holds.find(volume.nqn, ctx))?.suspended, false);
  assert.equal((await holds.status(volume.nqn, ctx)).device, device.majorMinor);
  assert.equal(sh("dmsetup info -c --noheadings -o tables_loaded"), "Live\n");
  world.export(volume);
  await world.waitForControllers(volume, "live");
  await writer.progress();
  assert.equal((await writer.stop()).error, undefined);
});
