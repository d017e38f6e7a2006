import assert from "node:assert/strict";
import test from "node:test";
import { MiB } from "#lib/bytes.ts";
import { assertNothingLost, setUpHeldVolume } from "../rig/held-volume.ts";
import { sh, World } from "../rig/world.ts";

test("swap() to a device that is too small leaves the old table resumed, under a writing process", async () => {
  using world = new World();
  const setup = await setUpHeldVolume(world);
  const { volume, writer, device } = setup;
  using _writer = writer;
  const small = world.volume("b", 64);
  world.export(small);
  const other = await world.connect(small);
  const { nqn } = volume;
  await assert.rejects(
    world.holds.swap({ ...other, nqn }, () => true, world.ctx),
    {
      kind: "failed-precondition",
      message: `Cannot put hold "${nqn}" on ${other.majorMinor}: it has ${64 * MiB} bytes, the hold has ${320 * MiB}`,
    },
  );
  // The kernel itself finds out only when it takes the table.
  const mistaken = { ...other, nqn, sizeBytes: device.sizeBytes };
  await assert.rejects(
    world.holds.swap(mistaken, () => true, world.ctx),
    {
      kind: "unavailable",
      message: /resume ioctl on .* failed: Invalid argument/,
    },
  );
  assert.equal((await world.holds.find(nqn, world.ctx))?.suspended, false);
  const status = await world.holds.status(nqn, world.ctx);
  assert.deepEqual([status.device, status.queueing], [device.majorMinor, true]);
  assert.equal(sh("dmsetup info -c --noheadings -o tables_loaded"), "Live\n");
  await assertNothingLost(world, setup);
});

test("swap() to a device with other blocks is refused", async () => {
  using world = new World();
  const setup = await setUpHeldVolume(world);
  const { volume, device, writer } = setup;
  using _writer = writer;
  const other = world.volume("b", 320);
  const loop = sh(`losetup --find --show ${other.image}`).trim();
  world.export({ ...other, image: loop });
  const blocks = await world.connect(other);
  await assert.rejects(
    world.holds.swap({ ...blocks, nqn: volume.nqn }, () => true, world.ctx),
    {
      kind: "failed-precondition",
      message: /: its blocks have 512 bytes, those of the hold 4096$/,
    },
  );
  assert.equal((await world.holds.status(volume.nqn, world.ctx)).device, device.majorMinor);
  await assertNothingLost(world, setup);
});

test("resume() lets I/O go on after a change that was interrupted, on the table in use", async () => {
  using world = new World();
  const setup = await setUpHeldVolume(world);
  const { volume, device, writer } = setup;
  using _writer = writer;
  sh("dmsetup --noudevsync suspend --noflush --nolockfs -j 253 -m 0");
  sh("dmsetup load -j 253 -m 0 --table '0 8 error'");
  assert.equal((await world.holds.find(volume.nqn, world.ctx))?.suspended, true);
  await world.holds.resume(volume.nqn, world.ctx);
  assert.equal((await world.holds.find(volume.nqn, world.ctx))?.suspended, false);
  assert.equal((await world.holds.status(volume.nqn, world.ctx)).device, device.majorMinor);
  await world.holds.resume(volume.nqn, world.ctx);
  await assertNothingLost(world, setup);
});
