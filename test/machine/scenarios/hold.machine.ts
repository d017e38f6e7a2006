// machine: its own
import assert from "node:assert/strict";
import { closeSync, openSync, readFileSync, truncateSync } from "node:fs";
import test from "node:test";
import { MiB } from "#lib/bytes.ts";
import { holdName } from "#linux/device-mapper/hold-name.ts";
import { LinuxHoldProbe } from "#linux/device-mapper/hold-probe.ts";
import { waitFor } from "../rig/wait-for.ts";
import { sh, World } from "../rig/world.ts";

test("probe() makes the kernel load what holds need, and leaves no device", async () => {
  using world = new World();
  sh("rmmod dm_service_time dm_multipath 2>/dev/null || true");
  const probe = new LinuxHoldProbe(world.dmsetup, world.sysfs);
  assert.deepEqual(await probe.probe(world.ctx), {
    missing: undefined,
    queueTimeoutSeconds: 0,
    nativeMultipath: true,
  });
  assert.match(sh("dmsetup targets"), /^multipath /m);
  assert.equal(sh("dmsetup ls"), "No devices found\n");
  sh("echo 30 > /sys/module/dm_multipath/parameters/queue_if_no_path_timeout_secs");
  assert.equal((await probe.probe(world.ctx)).queueTimeoutSeconds, 30);
  sh("echo 0 > /sys/module/dm_multipath/parameters/queue_if_no_path_timeout_secs");
});

test("probe() says what is missing on a host without the modules", async () => {
  using world = new World();
  sh("rmmod dm_service_time");
  const modules = `/lib/modules/${sh("uname -r").trim()}`;
  sh(`mkdir -p /run/none && mount --bind /run/none ${modules}`);
  const { missing } = await new LinuxHoldProbe(world.dmsetup, world.sysfs).probe(world.ctx);
  sh(`umount ${modules}`);
  assert.match(
    missing ?? "",
    /^Cannot make a hold: dmsetup failed with exit code 1: .*reload ioctl/,
  );
  assert.equal(sh("dmsetup ls"), "No devices found\n");
});

test("create() puts a hold on a device, once, and remove() takes it away", async () => {
  using world = new World();
  const { holds, ctx } = world;
  const volume = world.volume("a");
  world.export(volume);
  const device = await world.connect(volume);
  assert.equal(await holds.find(volume.nqn, ctx), undefined);
  const hold = await holds.create(device, ctx);
  assert.deepEqual(hold, {
    nqn: volume.nqn,
    path: "/dev/dm-0",
    majorMinor: "253:0",
    sizeBytes: 64 * MiB,
    suspended: false,
  });
  assert.deepEqual(await holds.create(device, ctx), hold);
  assert.deepEqual(await holds.find(volume.nqn, ctx), hold);
  assert.deepEqual(await holds.list(ctx), [hold]);
  assert.deepEqual(await holds.status(volume.nqn, ctx), {
    device: device.majorMinor,
    paths: ["active", "active"],
    queueing: true,
  });
  assert.deepEqual(world.sysfs.list("dev", "block", device.majorMinor, "holders"), ["dm-0"]);
  assert.equal(world.sysfs.read("class", "bdi", "253:0", "max_ratio"), "5");
  const strict = world.sysfs.read("class", "bdi", "253:0", "strict_limit");
  assert.equal(strict, sh("uname -r").startsWith("6.1.") ? undefined : "1");
  assert.equal(sh("ls /dev/mapper"), "control\n");

  await holds.remove(volume.nqn, ctx);
  assert.deepEqual(await holds.list(ctx), []);
  assert.deepEqual(world.sysfs.list("dev", "block", device.majorMinor, "holders"), []);
  await holds.remove(volume.nqn, ctx);
  await assert.rejects(holds.status(volume.nqn, ctx), { kind: "not-found" });
  await assert.rejects(
    holds.swap(device, () => true, ctx),
    { kind: "not-found" },
  );
});

test("create() finishes what an interrupted create() left without a table", async () => {
  using world = new World();
  const { holds, ctx } = world;
  const volume = world.volume("a");
  world.export(volume);
  const device = await world.connect(volume);
  sh(`dmsetup --noudevsync create ${holdName(volume.nqn)} -u ${holdName(volume.nqn)} --notable`);
  assert.equal(await holds.find(volume.nqn, ctx), undefined);
  const hold = await holds.create(device, ctx);
  assert.equal(hold.sizeBytes, 64 * MiB);
});

test("create() refuses a device that is mounted, or that another device lies on", async () => {
  using world = new World();
  const { holds, ctx } = world;
  const volume = world.volume("a");
  world.export(volume);
  const device = await world.connect(volume);
  sh(`dmsetup --noudevsync create lvm-like --table "0 8 linear ${device.majorMinor} 0"`);
  await assert.rejects(holds.create(device, ctx), {
    kind: "failed-precondition",
    message: `Cannot hold "${volume.nqn}": ${device.majorMinor} is in use by "dm-0" (lvm-like)`,
  });
  sh("dmsetup --noudevsync remove lvm-like");
  const mountPoint = await world.mountNew(device.path, "ext4");
  await assert.rejects(holds.create(device, ctx), {
    kind: "unavailable",
    message: /: Device or resource busy; Command failed\.$/,
  });
  sh(`umount ${mountPoint}`);
  assert.deepEqual(await holds.list(ctx), []);
  assert.equal(sh("dmsetup ls"), "No devices found\n");
});

test("create() refuses an NQN whose hold lies elsewhere, and leaves that as it is", async () => {
  using world = new World();
  const { holds, ctx } = world;
  const [first, second] = [world.volume("a"), world.volume("b")];
  world.export(first);
  world.export(second);
  const [device, other] = [await world.connect(first), await world.connect(second)];
  await holds.create(device, ctx);
  await assert.rejects(holds.create({ ...other, nqn: first.nqn }, ctx), {
    kind: "already-exists",
    message: `Cannot hold "${first.nqn}": it lies on ${device.majorMinor}, not on ${other.majorMinor}`,
  });
  assert.equal((await holds.status(first.nqn, ctx)).device, device.majorMinor);
});

test("remove() says so when the hold is open, and leaves it as it is", async () => {
  using world = new World();
  const { holds, ctx } = world;
  const volume = world.volume("a");
  world.export(volume);
  const hold = await holds.create(await world.connect(volume), ctx);
  const file = openSync(hold.path, "r");
  await assert.rejects(holds.remove(volume.nqn, ctx), {
    kind: "unavailable",
    message: `Cannot remove hold "${volume.nqn}": it is open`,
  });
  closeSync(file);
  assert.equal((await holds.status(volume.nqn, ctx)).queueing, true);
  await holds.remove(volume.nqn, ctx);
});

for (const fsType of ["ext4", "xfs"] as const)
  test(`grow() lets a mounted ${fsType} grow, with all that is in it`, async () => {
    using world = new World();
    const { holds, ctx } = world;
    const volume = world.volume("a", 320);
    world.export(volume);
    const device = await world.connect(volume);
    const hold = await holds.create(device, ctx);
    const mountPoint = await world.mountNew(hold.path, fsType);
    sh(`seq 100000 > ${mountPoint}/numbers`);
    await assert.rejects(holds.grow({ ...device, sizeBytes: 64 * MiB }, ctx), {
      kind: "out-of-range",
    });

    truncateSync(volume.image, 400 * MiB);
    await world.initiator.rescan(volume.nqn, ctx);
    const grown = await waitFor("the device has 400 MiB", async () => {
      const found = await world.device(volume);
      return found.sizeBytes === 400 * MiB ? found : undefined;
    });
    await holds.grow(grown, ctx);
    assert.equal((await holds.find(volume.nqn, ctx))?.sizeBytes, 400 * MiB);
    sh(fsType === "xfs" ? `xfs_growfs ${mountPoint}` : `resize2fs ${hold.path}`);
    assert.ok(Number(sh(`df -BM --output=size ${mountPoint} | tail -1 | tr -dc 0-9`)) > 300);
    sh(`umount ${mountPoint}; ${fsType === "xfs" ? "xfs_repair -n" : "e2fsck -fn"} ${hold.path}`);
    await world.mount(hold.path, fsType);
    assert.equal(readFileSync(`${mountPoint}/numbers`, "utf8").split("\n").length, 100_001);
    sh(`umount ${mountPoint}`);
  });
