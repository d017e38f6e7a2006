// machine: its own
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import test, { before } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { installHostRules } from "#linux/device-mapper/host-rules.ts";
import { properties, startUdev, trigger } from "../rig/host-daemons.ts";
import { sh, type TestVolume, World } from "../rig/world.ts";

const fsUuid = "12345678-1111-4222-8333-1234567890ab";

/** What a guest makes of a raw block volume. By what udev finds, Debian's rules for LVM activate it. */
function makePhysicalVolume(hold: { path: string }, device: { path: string }): void {
  sh(`wipefs -a ${hold.path}`);
  sh(`lvm pvcreate -y --devices ${hold.path} ${hold.path}`);
  lookAgain(device);
}

/** As at the next boot, or when somebody asks udev to look at everything again. */
function lookAgain(device: { path: string }): void {
  // As long as the hold keeps it open, it goes on showing what was read of it before.
  sh(`blockdev --flushbufs ${device.path}`);
  trigger("change");
}

/** A device with a hold on it and a file system on that; both devices were opened for writing and closed. */
async function setUp(world: World, volume: TestVolume) {
  world.export(volume);
  const device = await world.connect(volume);
  const hold = await world.holds.create(device, world.ctx);
  sh(`mkfs.ext4 -q -F -U ${fsUuid} ${hold.path}`);
  lookAgain(device);
  return { device, hold };
}

before(startUdev);

test("without the host rules udev reads what is in a volume and links to it", async () => {
  using world = new World();
  const { device, hold } = await setUp(world, world.volume("a"));
  assert.match(properties(hold.path), new RegExp(`^ID_FS_UUID=${fsUuid}$`, "m"));
  assert.match(properties(device.path), new RegExp(`^ID_FS_UUID=${fsUuid}$`, "m"));
  assert.ok(existsSync(`/dev/disk/by-uuid/${fsUuid}`));
  makePhysicalVolume(hold, device);
  assert.match(properties(hold.path), /^ID_FS_TYPE=LVM2_member$/m);
  assert.match(properties(device.path), /^ID_FS_TYPE=LVM2_member$/m);
});

test("with the host rules udev reads nothing of a volume, nor links to it", async () => {
  assert.equal(await installHostRules("/run/udev"), true);
  // udev looks for new rules at most every three seconds.
  await delay(4000);
  using world = new World();
  const { device, hold } = await setUp(world, world.volume("b"));
  const assertLeftAlone = () => {
    for (const path of [hold.path, device.path]) {
      const found = properties(path);
      assert.doesNotMatch(found, /^ID_FS_|^DEVLINKS=.*by-uuid/m);
      assert.match(found, /^DM_UDEV_DISABLE_OTHER_RULES_FLAG=1$/m);
      assert.match(found, /^DM_UDEV_DISABLE_DISK_RULES_FLAG=1$/m);
    }
  };
  assertLeftAlone();
  assert.equal(existsSync(`/dev/disk/by-uuid/${fsUuid}`), false);
  assert.equal(existsSync(`/dev/mapper/rds-csi-${device.nqn}`), false);
  makePhysicalVolume(hold, device);
  assertLeftAlone();
});

test("with the host rules other disks are read as ever", async () => {
  assert.match(properties("/dev/vda"), /^ID_FS_TYPE=ext4$/m);
});
