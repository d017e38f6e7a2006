import assert from "node:assert/strict";
import { neverGivesUp, sh, type World } from "./world.ts";
import { assertRecords, Writer } from "./writer.ts";

/** A volume, its hold, a file system on that, and a process that writes to it. */
export async function setUpHeldVolume(
  world: World,
  options = neverGivesUp,
  fsType: "ext4" | "xfs" = "ext4",
) {
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
export async function assertNothingLost(
  world: World,
  setup: Awaited<ReturnType<typeof setUpHeldVolume>>,
) {
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
