import assert from "node:assert/strict";
import test from "node:test";
import { snapshotKeyForName } from "#domain/snapshot-id.ts";
import type { Slot } from "#domain/volume-id.ts";
import { GiB, TiB } from "#lib/bytes.ts";
import { testContext } from "#test/fakes/context.ts";
import { newVolume } from "#test/rig/new-volume.ts";
import { SimulatedAppliance } from "#test/rig/simulated-appliance.ts";

const ctx = testContext();
const key = snapshotKeyForName("before");
const menu = "/disk/btrfs/subvolume";

async function rigWithVolume(options: Parameters<typeof SimulatedAppliance.start>[0] = {}) {
  const rig = await SimulatedAppliance.start(options);
  const driver = await rig.warmDriver();
  const volume = await driver.volumes.create(newVolume("pvc-a"), ctx);
  const { volumes, snapshots } = driver;
  return { rig, volumes, snapshots, volume };
}

test("each operation on snapshots and copies is one round trip, whatever the size of the volume", async () => {
  for (const sizeBytes of [GiB, TiB]) {
    const pool = { mountPoint: "storage-pool", size: 2 ** 44, type: "btrfs" } as const;
    const { rig, volumes, snapshots } = await rigWithVolume({ pools: [pool] });
    await using _rig = rig;
    const volume = await volumes.create(newVolume("pvc-large", { sizeBytes }), ctx);
    const spent = async <T>(operation: Promise<T>) => {
      const result = await operation;
      const { commands } = rig.simulator.statistics;
      rig.simulator.statistics.reset();
      assert.equal(commands, 1);
      return result;
    };
    rig.simulator.statistics.reset();
    const { leaf } = await spent(snapshots.take(volume, key, ctx));
    await spent(snapshots.list(ctx));
    await spent(snapshots.find(key, ctx));
    const restore = { origin: { type: "snapshot", leaf }, sizeBytes: 2 * sizeBytes } as const;
    await spent(volumes.create(newVolume("pvc-restored", restore), ctx));
    const clone = { origin: { type: "volume", slot: volume.slot, sizeBytes }, sizeBytes } as const;
    await spent(volumes.create(newVolume("pvc-clone", clone), ctx));
    await spent(snapshots.remove(leaf, ctx));
  }
});

test("lines about copies stay short enough for consoles, with the longest names", async () => {
  const { rig, volumes, snapshots } = await rigWithVolume();
  await using _rig = rig;
  const slot = "pvc-bcdefghijklmnopqrstuvwxyz2";
  const pvc = `${"n".repeat(63)}/${"c".repeat(90)}`;
  const volume = await volumes.create(newVolume(slot), ctx);
  rig.simulator.statistics.reset();
  const { leaf } = await snapshots.take(volume, key, ctx);
  const origin = { type: "snapshot", leaf } as const;
  const spec = newVolume("pvc-abcdefghijklmnopqrstuvwxyz", { origin, pvc, source: key });
  await volumes.create(spec, ctx);
  const longest = Math.max(...rig.simulator.statistics.lines.map((line) => line.length));
  assert.ok(longest < 2_300, `${longest} bytes`);
});

test("list() tells the time of the appliance in whatever zone that shows it", async () => {
  const { rig, snapshots, volume } = await rigWithVolume();
  await using _rig = rig;
  await rig.run("/system/clock/set time-zone-name=America/St_Johns");
  const { createdAt } = await snapshots.take(volume, key, ctx);
  assert.ok(Math.abs(createdAt - Date.now()) < 60_000, new Date(createdAt).toISOString());
  await rig.run("/system/clock/set time-zone-name=Asia/Kathmandu");
  assert.equal((await snapshots.find(key, ctx))?.createdAt, createdAt);
});

test("list() shows this cluster's snapshots only, and nothing that was made by hand", async () => {
  const { rig, snapshots, volume } = await rigWithVolume();
  await using _rig = rig;
  const taken = await snapshots.take(volume, key, ctx);
  const other = rig.driver({ clusterId: "c2" });
  const theirs = await other.volumes.create(newVolume("pvc-b", { cluster: "c2" }), ctx);
  await other.snapshots.take(theirs, snapshotKeyForName("theirs"), ctx);
  const leaf = `${snapshotKeyForName("elsewhere")}.pvc-a.1024`;
  await rig.run(`${menu}/add fs=storage-pool-fs name="csi/c1/_snapshots.c1/by-hand" parent=pvc-a`);
  await rig.run(`${menu}/add fs=storage-pool-fs name="${leaf}" parent=pvc-a read-only=yes`);
  assert.deepEqual(await snapshots.list(ctx), [taken]);
});

test("list(), take() and remove() never take an unmounted pool for an empty one (pitfall 13)", async () => {
  const { rig, volumes, snapshots, volume } = await rigWithVolume();
  await using _rig = rig;
  const { leaf } = await snapshots.take(volume, key, ctx);
  const match = /mount-point="storage-pool"/;
  const view = () =>
    rig.simulator.faults.add({ match, at: "after", action: "garbage", text: "[]\r\n[]\r\n[]\r\n" });
  view();
  await assert.rejects(snapshots.list(ctx), { kind: "unavailable" });
  view();
  await assert.rejects(snapshots.remove(leaf, ctx), { kind: "unknown-outcome" });
  assert.equal((await volumes.find(volume.slot, ctx))?.slot, "pvc-a");
});

test("take() of a key that another controller is just taking finds that one", async () => {
  const { rig, snapshots, volume } = await rigWithVolume();
  await using _rig = rig;
  const taken = await snapshots.take(volume, key, ctx);
  const text = "BTRFS_IOC_SNAP_CREATE_V2 failed: File exists";
  rig.simulator.faults.add({ match: /read-only=yes/, at: "after", action: "error", text });
  assert.deepEqual(await snapshots.take(volume, key, ctx), taken);
});

test("take() takes its snapshot also when another controller has just made the folder of them all", async () => {
  const { rig, snapshots, volume } = await rigWithVolume();
  await using _rig = rig;
  const text = "BTRFS_IOC_SUBVOL_CREATE failed: File exists";
  const race = { match: /read-only=yes/, at: "during", changes: 0, action: "error", text } as const;
  rig.simulator.faults.add(race);
  const { leaf } = await snapshots.take(volume, key, ctx);
  assert.deepEqual(
    (await snapshots.list(ctx)).map((one) => one.leaf),
    [leaf],
  );
  await snapshots.remove(leaf, ctx);
  rig.simulator.faults.add({ ...race, times: 2 });
  await assert.rejects(snapshots.take(volume, key, ctx), {
    kind: "failed-precondition",
    message: `Cannot take snapshot "${key}" of volume "pvc-a" on appliance "rds1": RouterOS says "${text}"`,
  });
});

test("take() of a volume in a subvolume, on a pool that has lost its label, blames the pool", async () => {
  const { rig, volume } = await rigWithVolume();
  await rig[Symbol.asyncDispose]();
  await using unlabelled = await SimulatedAppliance.start({
    pools: [{ mountPoint: "storage-pool", size: TiB, label: "" }],
  });
  await assert.rejects(unlabelled.driver().snapshots.take(volume, key, ctx), {
    kind: "failed-precondition",
    message: /: pool "storage-pool" is no Btrfs file system with a label, and RouterOS snapshots/,
  });
});

test("remove() on a Btrfs pool without a label never says that the snapshot is gone", async () => {
  const leaf = { key, source: "pvc-a" as Slot, sizeBytes: GiB };
  const pool = { mountPoint: "storage-pool", size: TiB } as const;
  for (const [type, label] of [
    ["btrfs", ""],
    ["ext4", "x"],
  ] as const) {
    await using rig = await SimulatedAppliance.start({ pools: [{ ...pool, type, label }] });
    const removal = rig.driver().snapshots.remove(leaf, ctx);
    if (type === "ext4") await removal;
    else
      await assert.rejects(removal, {
        kind: "failed-precondition",
        message: /: pool "storage-pool" has no file system label, and RouterOS names subvolumes/,
      });
  }
});

test("take() on a full pool says so and leaves nothing", async () => {
  const { rig, snapshots, volume } = await rigWithVolume();
  await using _rig = rig;
  const text = "BTRFS_IOC_SNAP_CREATE_V2 failed: No space left on device";
  rig.simulator.faults.add({ match: /read-only=yes/, at: "during", action: "error", text });
  await assert.rejects(snapshots.take(volume, key, ctx), {
    kind: "resource-exhausted",
    message: `Cannot take snapshot "${key}" of volume "pvc-a" on appliance "rds1": RouterOS says "${text}"`,
  });
  assert.deepEqual(await snapshots.list(ctx), []);
});

test("copies give the image the size that RouterOS was told, whatever it does to files that are there", async () => {
  for (const existing of ["adopt", "keep-size", "truncate"] as const) {
    const { rig, volumes, snapshots, volume } = await rigWithVolume({
      switches: { "existing-file": existing },
    });
    await using _rig = rig;
    const { leaf } = await snapshots.take(volume, key, ctx);
    const spec = newVolume("pvc-b", { origin: { type: "snapshot", leaf }, sizeBytes: 3 * GiB });
    assert.equal((await volumes.create(spec, ctx)).sizeBytes, 3 * GiB, existing);
  }
});

test("a copy on an appliance that takes over no files is refused, and leaves nothing", async () => {
  const { rig, volumes, snapshots, volume } = await rigWithVolume({
    switches: { "existing-file": "refuse" },
  });
  await using _rig = rig;
  const { leaf } = await snapshots.take(volume, key, ctx);
  const spec = newVolume("pvc-b", { origin: { type: "snapshot", leaf } });
  await assert.rejects(volumes.create(spec, ctx), {
    kind: "failed-precondition",
    message: /RouterOS says ".*already exists"/,
  });
  assert.deepEqual(await rig.rows(`${menu}/print detail as-value where name="pvc-b"`), []);
});

test("5,000 snapshots are listed in one read", async () => {
  const { rig, snapshots, volume } = await rigWithVolume();
  await using _rig = rig;
  await snapshots.take(volume, key, ctx);
  for (let index = 0; index < 4_999; index += 1) {
    const name = `csi/c1/_snapshots.c1/${snapshotKeyForName(String(index))}.pvc-a.1024`;
    await rig.run(`${menu}/add fs=storage-pool-fs name="${name}" parent=pvc-a read-only=yes`);
  }
  rig.simulator.statistics.reset();
  const all = await snapshots.list(ctx);
  assert.equal(all.length, 5_000);
  assert.equal(rig.simulator.statistics.commands, 1);
  assert.ok(all.every(({ leaf }) => leaf.source === ("pvc-a" as Slot)));
});

test("a copy that another line is just making is left alone", async () => {
  const { rig, volumes, volume } = await rigWithVolume();
  await using _rig = rig;
  const text = "BTRFS_IOC_SNAP_CREATE_V2 failed: File exists";
  const match = /read-only=no/;
  // The other line has made its subvolume, and not yet its entry.
  rig.simulator.faults.add({ match, at: "during", changes: 1, action: "error", text });
  const { slot, sizeBytes } = volume;
  const spec = newVolume("pvc-b", { origin: { type: "volume", slot, sizeBytes } });
  const copying = volumes.create(spec, ctx);
  await assert.rejects(copying, { kind: "operation-pending", message: /somebody else is at it/ });
  assert.equal((await rig.rows(`${menu}/print as-value where name="pvc-b"`)).length, 1);
});

test("an entry whose image has been cleared away is no copy, and does not stay", async () => {
  const { rig, volumes, volume } = await rigWithVolume();
  await using _rig = rig;
  const { slot, sizeBytes } = volume;
  const spec = newVolume("pvc-b", { origin: { type: "volume", slot, sizeBytes } });
  await volumes.create(spec, ctx);
  await rig.run(`${menu}/remove [find name="pvc-b"]`);
  await assert.rejects(volumes.create(spec, ctx), {
    kind: "unavailable",
    message: /its image "storage-pool\/csi\/c1\/pvc-b\/disk\.img" is not; the entry is removed/,
  });
  await volumes.create(spec, ctx);
  assert.equal((await rig.rows('/file/print as-value where name~"pvc-b/disk.img"')).length, 1);
});

test("an entry that is in use keeps its place, also without an image", async () => {
  const { rig, volumes, volume } = await rigWithVolume();
  await using _rig = rig;
  const { slot, sizeBytes } = volume;
  const spec = newVolume("pvc-b", { origin: { type: "volume", slot, sizeBytes } });
  const copy = await volumes.create(spec, ctx);
  const used = await volumes.change(copy, { tag: { ...copy.tag, revision: 2 } }, ctx);
  await rig.run(`${menu}/remove [find name="pvc-b"]`);
  await assert.rejects(volumes.create(spec, ctx), {
    kind: "failed-precondition",
    message: /its image "storage-pool\/csi\/c1\/pvc-b\/disk\.img" is not$/,
  });
  assert.deepEqual(await volumes.find(copy.slot, ctx), used);
});
