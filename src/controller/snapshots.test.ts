import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DriverError } from "#domain/errors.ts";
import { formatSnapshotLeaf, snapshotKeyForName } from "#domain/snapshot-id.ts";
import type { Slot } from "#domain/volume-id.ts";
import { GiB, TiB } from "#lib/bytes.ts";
import { controllerRig, putVolume } from "#test/fakes/controller-rig.ts";
import { memoryAppliance } from "#test/fakes/memory-appliances.ts";
import { MemoryVolumeStore } from "#test/fakes/memory-volume-store.ts";
import { createSnapshot, type SnapshotOrder } from "./create-snapshot.ts";
import { deleteSnapshot } from "./delete-snapshot.ts";
import { getSnapshot, listSnapshots } from "./list-snapshots.ts";
import type { Page } from "./page.ts";

const key = snapshotKeyForName("before");
const id = `${key}.pvc-a.1024`;
const order: SnapshotOrder = { name: "before", sourceVolumeId: "pvc-a", parameters: {} };
const everything: Page = { after: "", maxEntries: 0 };
const any = { snapshotId: "", sourceVolumeId: "" };

function rig(store = new MemoryVolumeStore()) {
  const world = controllerRig({ store });
  putVolume(store, "pvc-a");
  const { appliances } = world.options;
  return { ...world, appliances, take: () => createSnapshot(order, appliances, world.ctx) };
}

test("createSnapshot() takes one with two calls, and tells its source, size and time", async () => {
  const { store, take, log } = rig();
  const { id: taken, snapshot } = await take();
  assert.equal(taken, id);
  const leaf = { key, source: "pvc-a", sizeBytes: GiB };
  assert.deepEqual(snapshot, { leaf, createdAt: 1_700_000_000_000, intact: true });
  assert.deepEqual([store.calls, store.snapshots.calls], [["survey"], ["take"]]);
  assert.deepEqual(log.records.at(-1)?.fields, { volumeId: "pvc-a", snapshotId: id });
});

test("createSnapshot() returns the same again: of a larger volume, of one that is gone or somebody else's, on a full pool", async () => {
  const { store, take } = rig();
  const first = await take();
  putVolume(store, "pvc-a", { sizeBytes: 2 * GiB });
  assert.deepEqual((await take()).snapshot, first.snapshot);
  store.otherBytes = TiB * 0.95;
  assert.deepEqual((await take()).snapshot, first.snapshot);
  await store.delete("pvc-a" as Slot, store.peek("pvc-a" as Slot));
  assert.deepEqual((await take()).snapshot, first.snapshot);
  store.putEntry(putVolume(store, "pvc-a"), "nightly backups");
  assert.deepEqual((await take()).snapshot, first.snapshot);
  putVolume(store, "pvc-a", { sizeBytes: 0 });
  assert.deepEqual((await take()).snapshot, first.snapshot);
});

test("createSnapshot() refuses the name of another volume's snapshot", async () => {
  const { appliances, take, store, ctx } = rig();
  await take();
  putVolume(store, "pvc-b");
  await assert.rejects(createSnapshot({ ...order, sourceVolumeId: "pvc-b" }, appliances, ctx), {
    kind: "already-exists",
    message: `Cannot take snapshot "before" of volume "pvc-b": "${id}" is one of volume "pvc-a"`,
  });
});

test("createSnapshot() finds after a lost reply what the first try has taken (pitfall 13)", async () => {
  const { store, take } = rig();
  const error = new DriverError("unknown-outcome", "Cannot take snapshot: connection lost");
  store.snapshots.failNext({ method: "take", when: "after", error });
  await assert.rejects(take(), { kind: "unknown-outcome" });
  await take();
  assert.equal((await store.snapshots.list()).length, 1);
});

test("createSnapshot() leaves the reserve alone: a full pool destroys guests' file systems", async () => {
  const { store, take } = rig();
  store.otherBytes = TiB * 0.9;
  await assert.rejects(take(), {
    kind: "resource-exhausted",
    message: /101\.4 GiB of 1 TiB are free, and 102\.4 GiB of them stay in reserve/,
  });
  assert.deepEqual(await store.snapshots.list(), []);
});

test("createSnapshot() says why a volume in a plain file has none", async () => {
  const { take } = rig(new MemoryVolumeStore({ layout: "flat" }));
  await assert.rejects(take(), {
    kind: "failed-precondition",
    message:
      'Cannot take a snapshot of volume "pvc-a": its image is a plain file on pool "pool" of appliance "rds", and RouterOS snapshots Btrfs subvolumes only',
  });
});

test("createSnapshot() refuses what makes no sense before it sends anything", async () => {
  const { appliances, store, ctx } = rig();
  const bad: [Partial<SnapshotOrder>, string, RegExp][] = [
    [{ name: "" }, "invalid-argument", /name is empty/],
    [{ parameters: { deletionPolicy: "Retain" } }, "invalid-argument", /"deletionPolicy"/],
    [{ sourceVolumeId: "a/b/c" }, "not-found", /"a\/b\/c"/],
    [{ sourceVolumeId: "lab-9/pvc-a" }, "failed-precondition", /prefix "lab-9"/],
  ];
  for (const [part, kind, message] of bad)
    await assert.rejects(createSnapshot({ ...order, ...part }, appliances, ctx), { kind, message });
  assert.deepEqual([store.calls, store.snapshots.calls], [[], []]);
  const parameters = { "csi.storage.k8s.io/volumesnapshot/name": "nightly" };
  await createSnapshot({ ...order, parameters }, appliances, ctx);
});

test("createSnapshot() of a volume that never was finds nothing", async () => {
  const { appliances, ctx } = rig();
  const missing = { ...order, sourceVolumeId: "pvc-z" };
  await assert.rejects(createSnapshot(missing, appliances, ctx), { kind: "not-found" });
});

test("deleteSnapshot() deletes that one, and succeeds where nothing is", async () => {
  const { appliances, take, ctx } = rig();
  await take();
  for (const gone of [id, id, "nightly", `${key}.pvc-b.1024`])
    await deleteSnapshot(gone, appliances, ctx);
  assert.deepEqual(
    (await listSnapshots(appliances, { ...any, page: everything }, ctx)).entries,
    [],
  );
});

test("deleteSnapshot() of another source or size under the same key deletes nothing", async () => {
  const { appliances, take, store, ctx } = rig();
  await take();
  for (const other of [`${key}.pvc-b.1024`, `${key}.pvc-a.2048`])
    await deleteSnapshot(other, appliances, ctx);
  assert.equal((await store.snapshots.list()).length, 1);
});

test("getSnapshot() finds by the whole id only", async () => {
  const { appliances, take, ctx } = rig();
  const { snapshot } = await take();
  assert.deepEqual((await getSnapshot(id, appliances, ctx)).snapshot, snapshot);
  for (const other of [`${key}.pvc-a.2048`, "nightly", `${snapshotKeyForName("x")}.pvc-a.1`])
    await assert.rejects(getSnapshot(other, appliances, ctx), { kind: "not-found" });
});

test("listSnapshots() filters by id and by source, on the appliance that the id names", async () => {
  const first = memoryAppliance();
  const second = memoryAppliance({ name: "lab-2", idPrefix: "lab-2" });
  const { options, ctx } = controllerRig({ appliances: [first, second] });
  const put = (name: string, source: string, { volumes } = first) =>
    volumes.snapshots.put({
      key: snapshotKeyForName(name),
      source: source as Slot,
      sizeBytes: GiB,
    });
  put("1", "pvc-a");
  put("2", "pvc-b");
  put("3", "pvc-a", second);
  const list = async (filter: Partial<typeof any>) => {
    const wanted = { ...any, ...filter, page: everything };
    const { entries } = await listSnapshots(options.appliances, wanted, ctx);
    return entries.map((entry) => entry.id);
  };
  const [one, two, three] = ["1", "2", "3"].map((name) => snapshotKeyForName(name));
  const ids = [`${one}.pvc-a.1024`, `${two}.pvc-b.1024`, `lab-2/${three}.pvc-a.1024`].toSorted();
  assert.deepEqual(await list({}), ids);
  assert.deepEqual(await list({ sourceVolumeId: "pvc-a" }), [`${one}.pvc-a.1024`]);
  assert.deepEqual(await list({ sourceVolumeId: "lab-2/pvc-a" }), [`lab-2/${three}.pvc-a.1024`]);
  assert.deepEqual(await list({ sourceVolumeId: "pvc-z" }), []);
  assert.deepEqual(await list({ sourceVolumeId: "//" }), []);
  for (const each of ids) assert.deepEqual(await list({ snapshotId: each }), [each]);
  assert.deepEqual(await list({ snapshotId: `${one}.pvc-a.1` }), []);
  assert.deepEqual(await list({ snapshotId: `${one}.pvc-a.1024`, sourceVolumeId: "pvc-b" }), []);
});

test("listSnapshots() fails when an appliance does not answer: its snapshots are not gone", async () => {
  const { appliances, store, ctx } = rig();
  const error = new DriverError("unavailable", "Cannot reach");
  store.snapshots.failNext({ method: "list", when: "before", error });
  const listing = listSnapshots(appliances, { ...any, page: everything }, ctx);
  await assert.rejects(listing, { kind: "unavailable" });
});

test("listSnapshots() shows each that stays exactly once, whatever is deleted between pages", async () => {
  const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,3}$/), { maxLength: 12 });
  const gone = fc.array(fc.nat(), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(names, gone, fc.integer({ min: 1, max: 4 }), async (all, holes, size) => {
      const { appliances, store, ctx } = rig();
      const leaves = all.map((name) => ({
        key: snapshotKeyForName(name),
        source: "pvc-a" as Slot,
        sizeBytes: GiB,
      }));
      for (const leaf of leaves) store.snapshots.put(leaf);
      const deleted = holes.flatMap((hole) => leaves[hole % (leaves.length || 1)] ?? []);
      const seen: string[] = [];
      for (let complete = false; !complete; ) {
        const page = { after: seen.at(-1) ?? "", maxEntries: size };
        const listed = await listSnapshots(appliances, { ...any, page }, ctx);
        seen.push(...listed.entries.map((entry) => entry.id));
        complete = listed.complete;
        for (const leaf of deleted) await store.snapshots.remove(leaf);
      }
      assert.deepEqual(seen, [...new Set(seen)].toSorted());
      for (const leaf of leaves.filter((one) => !deleted.includes(one)))
        assert.ok(seen.includes(formatSnapshotLeaf(leaf)));
    }),
    { numRuns: 50 },
  );
});
