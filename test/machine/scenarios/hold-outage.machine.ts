import assert from "node:assert/strict";
import test from "node:test";
import type { BlockDevice } from "#domain/block-device.ts";
import { MiB } from "#lib/bytes.ts";
import { waitFor } from "../rig/wait-for.ts";
import { givesUp, neverGivesUp, sh, type TestVolume, uuidFor, World } from "../rig/world.ts";
import { assertRecords, Writer } from "../rig/writer.ts";

/** A volume, its hold, a file system on that, and a process that writes to it. */
async function setUp(world: World, options = neverGivesUp, fsType: "ext4" | "xfs" = "ext4") {
  const volume = world.volume("a", 320);
  world.export(volume);
  const device = await world.connect(volume, options);
  const hold = await world.holds.create(device, world.ctx);
  const mountPoint = await world.mountNew(hold.path, fsType);
  const writer = new Writer(`${mountPoint}/records`);
  await writer.progress();
  return { volume, device, hold, mountPoint, writer, fsType };
}

/** The writer met no error, and what it flushed is on the disk: looked at through a new mount, after a check. */
async function assertNothingLost(world: World, setup: Awaited<ReturnType<typeof setUp>>) {
  const { hold, mountPoint, writer, fsType } = setup;
  await writer.progress();
  const report = await writer.stop();
  assert.equal(report.error, undefined);
  sh(`umount ${mountPoint}`);
  sh(fsType === "xfs" ? `xfs_repair -n ${hold.path}` : `e2fsck -fn ${hold.path}`);
  await world.mount(hold.path, fsType);
  assertRecords(`${mountPoint}/records`, report);
  sh(`umount ${mountPoint}`);
  return report;
}

async function outageUntilWriterWaits(world: World, volume: TestVolume, writer: Writer) {
  world.target.unexport(volume.nqn);
  await world.waitForControllers(volume, "connecting");
  const { flushed } = writer.report;
  // A writer whose records still went somewhere would show it within this second.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.ok(writer.report.flushed - flushed <= 1, "nothing is written during the outage");
}

/** As the watch loop does when the volume's device is there again under another name. */
async function swapTo(world: World, device: BlockDevice) {
  await world.holds.swap(device, world.ctx);
  const status = await world.holds.status(device.nqn, world.ctx);
  assert.deepEqual([status.device, status.queueing], [device.majorMinor, true]);
  assert.deepEqual(status.paths, ["active", "active"]);
}

test("an outage shorter than ctrl_loss_tmo needs nobody, the same for the next one", async () => {
  using world = new World();
  const setup = await setUp(world);
  const { volume, writer, device } = setup;
  using _writer = writer;
  for (let outage = 0; outage < 2; outage++) {
    await outageUntilWriterWaits(world, volume, writer);
    world.export(volume);
    await world.waitForControllers(volume, "live");
    await writer.progress();
    await world.holds.reinstate(volume.nqn, world.ctx);
    const status = await world.holds.status(volume.nqn, world.ctx);
    assert.deepEqual([status.device, ...status.paths], [device.majorMinor, "active", "active"]);
  }
  const report = await assertNothingLost(world, setup);
  assert.ok(report.longestMs > 1000, `the longest pause was ${report.longestMs} ms`);
});

for (const fsType of ["ext4", "xfs"] as const)
  test(`swap() goes on after an outage longer than ctrl_loss_tmo, ${fsType}`, async () => {
    using world = new World();
    const setup = await setUp(world, givesUp, fsType);
    const { volume, writer, device, hold } = setup;
    using _writer = writer;
    await outageUntilWriterWaits(world, volume, writer);
    await world.waitForControllers(volume);
    await waitFor("the paths have failed", async () => {
      const { paths } = await world.holds.status(volume.nqn, world.ctx);
      return paths.every((path) => path === "failed");
    });
    assert.equal(world.sysfs.exists("dev", "block", device.majorMinor), false);

    world.export(volume);
    const back = await world.connect(volume, givesUp);
    assert.notEqual(back.majorMinor, device.majorMinor);
    await swapTo(world, back);
    assert.match(sh("cat /proc/self/mountinfo"), new RegExp(` ${hold.majorMinor} / /mnt/volume `));
    await assertNothingLost(world, setup);
  });

test("swap() goes on after the target came back with a new identity", async () => {
  using world = new World();
  const setup = await setUp(world);
  const { volume, writer, device } = setup;
  using _writer = writer;
  await outageUntilWriterWaits(world, volume, writer);
  world.export(volume, uuidFor("another"));
  await world.waitForControllers(volume, "live");
  await waitFor("the old device is gone", () => {
    return !world.sysfs.exists("dev", "block", device.majorMinor);
  });
  await world.initiator.rescan(volume.nqn, world.ctx);
  const back = await world.device(volume);
  assert.notEqual(back.majorMinor, device.majorMinor);
  await swapTo(world, back);
  await assertNothingLost(world, setup);
});

test("swap() to a device that is too small leaves the old table resumed, under a writing process", async () => {
  using world = new World();
  const setup = await setUp(world);
  const { volume, writer, device } = setup;
  using _writer = writer;
  const small = world.volume("b", 64);
  world.export(small);
  const other = await world.connect(small);
  const { nqn } = volume;
  await assert.rejects(world.holds.swap({ ...other, nqn }, world.ctx), {
    kind: "failed-precondition",
    message: `Cannot put hold "${nqn}" on ${other.majorMinor}: it has ${64 * MiB} bytes, the hold has ${320 * MiB}`,
  });
  // The kernel itself finds out only when it takes the table.
  const mistaken = { ...other, nqn, sizeBytes: device.sizeBytes };
  await assert.rejects(world.holds.swap(mistaken, world.ctx), {
    kind: "unavailable",
    message: /resume ioctl on .* failed: Invalid argument/,
  });
  assert.equal((await world.holds.find(nqn, world.ctx))?.suspended, false);
  const status = await world.holds.status(nqn, world.ctx);
  assert.deepEqual([status.device, status.queueing], [device.majorMinor, true]);
  assert.equal(sh("dmsetup info -c --noheadings -o tables_loaded"), "Live\n");
  await assertNothingLost(world, setup);
});

test("swap() to a device with other blocks is refused", async () => {
  using world = new World();
  const setup = await setUp(world);
  const { volume, device, writer } = setup;
  using _writer = writer;
  const other = world.volume("b", 320);
  const loop = sh(`losetup --find --show ${other.image}`).trim();
  world.export({ ...other, image: loop });
  const blocks = await world.connect(other);
  await assert.rejects(world.holds.swap({ ...blocks, nqn: volume.nqn }, world.ctx), {
    kind: "failed-precondition",
    message: /: its blocks have 512 bytes, those of the hold 4096$/,
  });
  assert.equal((await world.holds.status(volume.nqn, world.ctx)).device, device.majorMinor);
  await assertNothingLost(world, setup);
});

test("resume() lets I/O go on after a change that was interrupted, on the table in use", async () => {
  using world = new World();
  const setup = await setUp(world);
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
