import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSnapshotLeaf, snapshotKeyForName } from "#domain/snapshot-id.ts";
import type { Slot } from "#domain/volume-id.ts";
import { GiB } from "#lib/bytes.ts";
import { controllerRig, putVolume } from "#test/fakes/controller-rig.ts";
import { createVolumeRequest } from "#test/fakes/csi-requests.ts";
import { memoryAppliance } from "#test/fakes/memory-appliances.ts";
import type { ListSnapshotsRequest, VolumeContentSource } from "../gen/csi.ts";

const secrets = {};
const key = snapshotKeyForName("before");
const leaf = { key, source: "pvc-a" as Slot, sizeBytes: GiB };
const snapshotId = `${key}.pvc-a.1024`;
const copyId = "pvc-h4oj4yekkvgdthj6bvfg6d4kce";

function rig() {
  const world = controllerRig();
  const { handlers, store, ctx } = world;
  putVolume(store, "pvc-a");
  const list = (given: Partial<ListSnapshotsRequest> = {}) => {
    const any = { maxEntries: 0, startingToken: "", sourceVolumeId: "", snapshotId: "", secrets };
    return handlers.listSnapshots({ ...any, ...given }, ctx);
  };
  const take = (sourceVolumeId = "pvc-a", name = "before") =>
    handlers.createSnapshot({ name, sourceVolumeId, parameters: {}, secrets }, ctx);
  const get = (id = snapshotId) => handlers.getSnapshot({ snapshotId: id, secrets }, ctx);
  const remove = (id = snapshotId) => handlers.deleteSnapshot({ snapshotId: id, secrets }, ctx);
  return { ...world, list, take, get, remove };
}

test("createSnapshot(), listSnapshots() and getSnapshot() tell id, source, size and time of one", async () => {
  const { take, list, get } = rig();
  const snapshot = {
    snapshotId,
    sourceVolumeId: "pvc-a",
    sizeBytes: GiB,
    creationTime: new Date(1_700_000_000_000),
    readyToUse: true,
    groupSnapshotId: "",
  };
  assert.deepEqual(await take(), { snapshot });
  assert.deepEqual(await take(), { snapshot });
  assert.deepEqual(await list(), { entries: [{ snapshot }], nextToken: "" });
  assert.deepEqual(await get(), { snapshot });
});

test("all replies about a snapshot that somebody made writable say that it is not ready", async () => {
  const { store, take, list, get } = rig();
  store.snapshots.put(leaf, { intact: false });
  const { entries } = await list();
  const { entries: byId } = await list({ snapshotId });
  const told = [await take(), await get(), ...entries, ...byId];
  assert.deepEqual(
    told.map(({ snapshot }) => [snapshot?.snapshotId, snapshot?.readyToUse]),
    told.map(() => [snapshotId, false]),
  );
  assert.equal(told.length, 4);
});

test("ids of snapshots and their volumes carry the appliance that is not the default one", async () => {
  const other = memoryAppliance({ name: "lab-2", idPrefix: "lab-2" });
  const { handlers, ctx } = controllerRig({ appliances: [memoryAppliance(), other] });
  putVolume(other.volumes, "pvc-a");
  const { snapshot } = await handlers.createSnapshot(
    { name: "before", sourceVolumeId: "lab-2/pvc-a", parameters: {}, secrets },
    ctx,
  );
  assert.equal(snapshot?.snapshotId, `lab-2/${snapshotId}`);
  assert.equal(snapshot?.sourceVolumeId, "lab-2/pvc-a");
  await handlers.deleteSnapshot({ snapshotId: `lab-2/${snapshotId}`, secrets }, ctx);
  assert.equal(other.volumes.snapshots.peek(leaf), undefined);
});

test("listSnapshots() shows page after page, by tokens of its own", async () => {
  const { store, list } = rig();
  const names = ["1", "2", "3", "4", "5"];
  const leaves = names.map((name) => ({ ...leaf, key: snapshotKeyForName(name) }));
  for (const each of leaves) store.snapshots.put(each);
  const pages: string[][] = [];
  let startingToken = "";
  do {
    const { entries, nextToken } = await list({ maxEntries: 2, startingToken });
    pages.push(entries.map(({ snapshot }) => snapshot?.snapshotId ?? ""));
    startingToken = nextToken;
  } while (startingToken !== "");
  assert.deepEqual(
    pages.map(({ length }) => length),
    [2, 2, 1],
  );
  const keys = pages.flat().map((id) => parseSnapshotLeaf(id)?.key);
  assert.deepEqual(keys, leaves.map((each) => each.key).toSorted());
});

test("listSnapshots() lets the CO start over for a token that is none of its own (ABORTED)", async () => {
  const { list } = rig();
  for (const startingToken of ["2", "after:", "after:pvc-a", `before:${snapshotId}`, snapshotId])
    await assert.rejects(list({ startingToken }), {
      kind: "operation-pending",
      message: `Cannot list snapshots: starting_token "${startingToken}" is not one of this driver`,
    });
});

test("listSnapshots() refuses a negative number of entries", async () => {
  const { list, store } = rig();
  await assert.rejects(list({ maxEntries: -1 }), {
    kind: "invalid-argument",
    message: "Cannot list snapshots: max_entries is -1, which is negative",
  });
  assert.deepEqual(store.snapshots.calls, []);
});

test("calls about snapshots name the field that a request may not leave out", async () => {
  const { take, get, remove, store } = rig();
  const calls = [
    [() => take(""), "Cannot answer the call: source_volume_id is missing"],
    [() => take("pvc-a", ""), "Cannot create a snapshot: name is empty"],
    [() => get(""), "Cannot answer the call: snapshot_id is missing"],
    [() => remove(""), "Cannot answer the call: snapshot_id is missing"],
  ] as const;
  for (const [call, message] of calls)
    await assert.rejects(call(), { kind: "invalid-argument", message });
  assert.deepEqual([store.calls, store.snapshots.calls], [[], []]);
});

const sources: readonly VolumeContentSource[] = [
  { snapshot: { snapshotId } },
  { volume: { volumeId: "pvc-a" } },
];

for (const volumeContentSource of sources) {
  const kind = Object.keys(volumeContentSource).join();
  test(`createVolume() from a ${kind} repeats the source in its reply, also on the retry when that is gone`, async () => {
    const { handlers, store, ctx, take, remove } = rig();
    await take();
    const create = () => handlers.createVolume(createVolumeRequest({ volumeContentSource }), ctx);
    const first = await create();
    assert.partialDeepStrictEqual(first.volume, {
      volumeId: copyId,
      capacityBytes: GiB,
      contentSource: volumeContentSource,
    });
    await remove();
    await store.delete(leaf.source, store.peek(leaf.source));
    assert.deepEqual(await create(), first);
  });
}

test("calls for one snapshot exclude each other, whether they name it by name or by id", async () => {
  const { store, take, remove, get, list } = rig();
  putVolume(store, "pvc-b");
  for (const [first, others] of [
    [take, [take, () => take("pvc-b"), remove]],
    [remove, [take, remove, () => remove(`${key}.pvc-b.7`)]],
  ] as const) {
    const under = first();
    for (const other of others)
      await assert.rejects(other(), {
        kind: "operation-pending",
        message: `Cannot act on snapshot "${key}": another call for it is under way`,
      });
    await under;
  }
  assert.deepEqual((await list()).entries, []);
  await take();
  assert.ok((await get()).snapshot);
});

test("calls for other snapshots, those that read, and those for the volume run side by side", async () => {
  const { handlers, ctx, take, get, list } = rig();
  await take();
  const results = await Promise.all([
    take(),
    take("pvc-a", "other"),
    get(),
    list(),
    handlers.controllerGetVolume({ volumeId: "pvc-a" }, ctx),
  ]);
  assert.equal(results.length, 5);
});

test("snapshots of one name on two appliances do not wait for each other", async () => {
  const [first, second] = [
    memoryAppliance(),
    memoryAppliance({ name: "lab-2", idPrefix: "lab-2" }),
  ];
  const { handlers, ctx } = controllerRig({ appliances: [first, second] });
  for (const { volumes } of [first, second]) putVolume(volumes, "pvc-a");
  const taken = await Promise.all(
    ["pvc-a", "lab-2/pvc-a"].map((sourceVolumeId) =>
      handlers.createSnapshot({ name: "before", sourceVolumeId, parameters: {}, secrets }, ctx),
    ),
  );
  assert.deepEqual(
    taken.map(({ snapshot }) => snapshot?.snapshotId),
    [snapshotId, `lab-2/${snapshotId}`],
  );
});
