import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { BlockDevice } from "#domain/block-device.ts";
import { assertNothingLost, setUpHeldVolume } from "../rig/held-volume.ts";
import { waitFor } from "../rig/wait-for.ts";
import { givesUp, sh, type TestVolume, uuidFor, World } from "../rig/world.ts";
import type { Writer } from "../rig/writer.ts";

async function outageUntilWriterWaits(world: World, volume: TestVolume, writer: Writer) {
  world.target.unexport(volume.nqn);
  await world.waitForControllers(volume, "connecting");
  await waitFor("the writer flushes nothing for a second", async () => {
    const { flushed } = writer.report;
    await delay(1000);
    return writer.report.flushed === flushed;
  });
}

/** As the watch loop does when the volume's device is there again under another name. */
async function swapTo(world: World, device: BlockDevice) {
  await world.holds.swap(device, () => true, world.ctx);
  const status = await world.holds.status(device.nqn, world.ctx);
  assert.deepEqual([status.device, status.queueing], [device.majorMinor, true]);
  assert.deepEqual(status.paths, ["active", "active"]);
}

test("an outage shorter than ctrl_loss_tmo needs nobody, the same for the next one", async () => {
  using world = new World();
  const setup = await setUpHeldVolume(world);
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
    const setup = await setUpHeldVolume(world, givesUp, fsType);
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
  const setup = await setUpHeldVolume(world);
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
