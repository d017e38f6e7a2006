import assert from "node:assert/strict";
import test from "node:test";
import { formatSnapshotLeaf, snapshotKeyForName } from "#domain/snapshot-id.ts";
import { formatVolumeTag } from "#domain/volume-tag.ts";
import { GiB } from "#lib/bytes.ts";
import { testContext } from "#test/fakes/context.ts";
import { ManualClock } from "#test/fakes/manual-clock.ts";
import { RecordingLog } from "#test/fakes/recording-log.ts";
import { newVolume } from "#test/rig/new-volume.ts";
import { SimulatedAppliance } from "#test/rig/simulated-appliance.ts";

const log = new RecordingLog();
const ctx = testContext({ log });
const menu = "/disk/btrfs/subvolume";

/** A volume, a snapshot of it, and a copy of that without a disk entry, as an earlier try has left it. */
async function rigWithLeftover() {
  const rig = await SimulatedAppliance.start();
  const clock = new ManualClock();
  const { volumes, snapshots } = await rig.warmDriver({ clock, commandTimeoutMs: 5_000 });
  const volume = await volumes.create(newVolume("pvc-a"), ctx);
  const { leaf } = await snapshots.take(volume, snapshotKeyForName("before"), ctx);
  const parent = formatSnapshotLeaf(leaf);
  await rig.run(`${menu}/add fs=storage-pool-fs name="csi/c1/pvc-b" parent="${parent}"`);
  const uuid = async () => {
    const [row] = await rig.rows(`${menu}/print detail as-value where name="pvc-b"`);
    return row?.["uuid"];
  };
  const spec = newVolume("pvc-b", { origin: { type: "snapshot", leaf }, sizeBytes: 2 * GiB });
  return { rig, volumes, clock, uuid, copy: () => volumes.create(spec, ctx) };
}

const removals = () =>
  log.records.filter(({ message }) => message.startsWith("Removed a copy")).length;

test("a copy takes the place of one that was begun and has rested, and says that it has removed that", async () => {
  const { rig, clock, uuid, copy } = await rigWithLeftover();
  await using _rig = rig;
  const [before, removed] = [await uuid(), removals()];
  for (const seconds of [5, 1]) {
    await assert.rejects(copy(), {
      kind: "unavailable",
      message: new RegExp(
        `an earlier try has begun "csi/c1/pvc-b" and may still be at it; it is cleared away in ${seconds} s`,
      ),
    });
    assert.deepEqual([await uuid(), removals()], [before, removed]);
    clock.advance(seconds === 5 ? 4_500 : 500);
  }
  assert.equal((await copy()).sizeBytes, 2 * GiB);
  assert.notEqual(await uuid(), before);
  assert.equal(removals(), removed + 1);
});

test("a copy whose entry comes late is the volume, and is not cleared away under it", async () => {
  const { rig, clock, uuid, copy } = await rigWithLeftover();
  await using _rig = rig;
  const [before, removed] = [await uuid(), removals()];
  await assert.rejects(copy(), { kind: "unavailable" });
  clock.advance(60_000);
  const { length } = await rig.rows("/disk/print as-value");
  const comment = formatVolumeTag(newVolume("pvc-b").tag);
  const path = "/storage-pool/csi/c1/pvc-b/disk.img";
  await rig.run(`/disk/add type=file slot=pvc-b file-path=${path} comment="${comment}"`);
  assert.equal((await copy()).sizeBytes, GiB);
  assert.equal((await rig.rows("/disk/print as-value")).length, length + 1);
  assert.deepEqual([await uuid(), removals()], [before, removed]);
});

test("a copy whose place another disk uses names that disk, and removes nothing", async () => {
  const { rig, uuid, copy } = await rigWithLeftover();
  await using _rig = rig;
  const [before, removed] = [await uuid(), removals()];
  for (const path of [
    "/storage-pool/csi/c1/pvc-b/disk.img",
    "storage-pool/csi/c1/pvc-b/disk.img",
  ]) {
    await rig.run(`/disk/add type=file slot=rescue file-path=${path}`);
    await assert.rejects(copy(), {
      kind: "failed-precondition",
      message: /^Cannot create volume "pvc-b" from .*: disk "rescue" uses what is at its place$/,
    });
    assert.equal(await uuid(), before);
    await rig.run("/disk/remove rescue");
  }
  assert.equal(removals(), removed);
});

test("a copy that RouterOS refuses to grow is there, as large as its origin", async () => {
  const { rig, volumes, uuid, copy } = await rigWithLeftover();
  await using _rig = rig;
  await rig.run(`${menu}/remove [find name="pvc-b"]`);
  const removed = removals();
  const text = "failure: no space left on device";
  const match = /read-only=no/;
  rig.simulator.faults.add({ match, at: "during", changes: 2, action: "error", text });
  assert.equal((await copy()).sizeBytes, GiB);
  assert.ok(await uuid());
  const { slot } = newVolume("pvc-b");
  assert.equal((await volumes.find(slot, ctx))?.sizeBytes, GiB);
  assert.equal(removals(), removed);
});
