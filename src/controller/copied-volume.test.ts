import assert from "node:assert/strict";
import { test } from "node:test";
import type { VolumeUse } from "#domain/access-mode.ts";
import { DriverError } from "#domain/errors.ts";
import { formatSnapshotLeaf, snapshotKeyForName } from "#domain/snapshot-id.ts";
import type { Slot } from "#domain/volume-id.ts";
import { GiB, TiB } from "#lib/bytes.ts";
import { controllerRig, putVolume } from "#test/fakes/controller-rig.ts";
import { memoryAppliance } from "#test/fakes/memory-appliances.ts";
import { MemoryVolumeStore } from "#test/fakes/memory-volume-store.ts";
import { createSnapshot } from "./create-snapshot.ts";
import { createVolume, type VolumeOrder } from "./create-volume.ts";

const slot = "pvc-h4oj4yekkvgdthj6bvfg6d4kce" as Slot;
const ext4: VolumeUse = {
  accessMode: "single-node-writer",
  access: { type: "mount", fsType: "ext4", mountFlags: [] },
};
const key = snapshotKeyForName("before");
const leaf = { key, source: "pvc-a" as Slot, sizeBytes: 2 * GiB };
const snapshotId = formatSnapshotLeaf(leaf);
const order = (size: Partial<VolumeOrder["size"]>, type: "snapshot" | "volume"): VolumeOrder => ({
  name: "pvc-3f1c9e60-8a55-4c39-9d3e-0d4a6f0f8a11",
  size: { requiredBytes: 0, limitBytes: 0, ...size },
  uses: [ext4],
  parameters: {},
  source: { type, id: type === "volume" ? "pvc-a" : snapshotId },
});

/** A controller whose appliance has a volume of 2 GiB, `pvc-a`, and a snapshot of it. */
async function rig() {
  const world = controllerRig();
  putVolume(world.store, "pvc-a", { sizeBytes: 2 * GiB });
  const request = { name: "before", sourceVolumeId: "pvc-a", parameters: {} };
  await createSnapshot(request, world.options.appliances, world.ctx);
  return { ...world, callsBefore: world.store.calls.length };
}

for (const type of ["snapshot", "volume"] as const) {
  test(`createVolume() from a ${type} has its size, or the larger one asked for`, async () => {
    for (const [requiredBytes, sizeBytes] of [
      [0, 2 * GiB],
      [5 * GiB, 5 * GiB],
    ] as const) {
      const { options, store, ctx, callsBefore } = await rig();
      const created = await createVolume(options, order({ requiredBytes }, type), ctx);
      assert.deepEqual(created, { id: slot, sizeBytes, context: {} });
      assert.equal(store.peek(slot)?.tag.source, type === "volume" ? "pvc-a" : key);
      assert.deepEqual(store.calls.slice(callsBefore), ["survey", "create"]);
    }
  });

  test(`createVolume() from a ${type} refuses a size below it`, async () => {
    const sizes = [{ requiredBytes: GiB }, { limitBytes: GiB }, { requiredBytes: 2 * GiB - 1 }];
    for (const size of sizes) {
      const { options, store, ctx } = await rig();
      await assert.rejects(createVolume(options, order(size, type), ctx), { kind: "out-of-range" });
      assert.equal(store.peek(slot), undefined);
    }
  });

  test(`createVolume() from a ${type} returns the same again, also after that is gone`, async () => {
    const { options, store, ctx } = await rig();
    const wanted = order({ requiredBytes: 3 * GiB }, type);
    const first = await createVolume(options, wanted, ctx);
    await store.delete("pvc-a" as Slot, store.peek("pvc-a" as Slot));
    await store.snapshots.remove(leaf);
    assert.deepEqual(await createVolume(options, wanted, ctx), first);
  });

  test(`createVolume() from a ${type} that is not there makes nothing`, async () => {
    const { options, store, ctx } = await rig();
    await store.delete("pvc-a" as Slot, store.peek("pvc-a" as Slot));
    await store.snapshots.remove(leaf);
    await assert.rejects(createVolume(options, order({}, type), ctx), { kind: "not-found" });
    assert.equal(store.hasImage(slot), false);
  });

  test(`createVolume() from a ${type} grows a copy that an earlier try left at its origin's size`, async () => {
    const { options, store, ctx } = await rig();
    const source = type === "volume" ? "pvc-a" : key;
    putVolume(store, slot, { sizeBytes: 2 * GiB, tag: { source } });
    const created = await createVolume(options, order({ requiredBytes: 4 * GiB }, type), ctx);
    assert.equal(created.sizeBytes, 4 * GiB);
    assert.equal(store.peek(slot)?.sizeBytes, 4 * GiB);
  });

  test(`createVolume() from a ${type} grows in the same call a copy that it has found half-made behind its line`, async () => {
    const { options, store, ctx } = await rig();
    const source = type === "volume" ? "pvc-a" : key;
    store.overtakeNext("create", async () => {
      putVolume(store, slot, { sizeBytes: 2 * GiB, tag: { source } });
    });
    const created = await createVolume(options, order({ requiredBytes: 4 * GiB }, type), ctx);
    assert.equal(created.sizeBytes, 4 * GiB);
    assert.equal(store.peek(slot)?.sizeBytes, 4 * GiB);
  });

  for (const kind of ["resource-exhausted", "failed-precondition"] as const)
    test(`createVolume() from a ${type} that fails to grow with ${kind} does not let the CO forget what is there`, async () => {
      const { options, store, ctx } = await rig();
      const wanted = order({ requiredBytes: 4 * GiB }, type);
      const source = type === "volume" ? "pvc-a" : key;
      putVolume(store, slot, { sizeBytes: 2 * GiB, tag: { source } });
      const error = new DriverError(kind, "RouterOS says no");
      store.failNext({ method: "grow", when: "before", error });
      await assert.rejects(createVolume(options, wanted, ctx), {
        kind: "unavailable",
        message: "RouterOS says no",
      });
      assert.equal((await createVolume(options, wanted, ctx)).sizeBytes, 4 * GiB);
    });

  test(`createVolume() from a ${type} says that a larger copy exists, and not that its size is out of range`, async () => {
    const { options, store, ctx } = await rig();
    const source = type === "volume" ? "pvc-a" : key;
    putVolume(store, slot, { sizeBytes: 4 * GiB, tag: { source } });
    const smaller = createVolume(options, order({ limitBytes: 3 * GiB }, type), ctx);
    await assert.rejects(smaller, {
      kind: "already-exists",
      message: /exists with 4294967296 bytes/,
    });
  });

  test(`createVolume() from a ${type} grows no copy that was in use since (pitfall 14)`, async () => {
    const { options, store, ctx } = await rig();
    const source = type === "volume" ? "pvc-a" : key;
    putVolume(store, slot, { sizeBytes: 2 * GiB, tag: { source, revision: 3 } });
    const again = createVolume(options, order({ requiredBytes: 4 * GiB }, type), ctx);
    await assert.rejects(again, { kind: "already-exists" });
    assert.equal(store.peek(slot)?.sizeBytes, 2 * GiB);
  });

  test(`createVolume() from a ${type} takes no volume of another source for it (pitfall 14)`, async () => {
    for (const source of [undefined, "pvc-b", snapshotKeyForName("other")]) {
      const { options, store, ctx } = await rig();
      putVolume(store, slot, { sizeBytes: 2 * GiB, tag: { source } });
      await assert.rejects(createVolume(options, order({}, type), ctx), {
        kind: "already-exists",
        message: new RegExp(source === undefined ? "was made blank" : `was made from "${source}"`),
      });
    }
  });

  test(`createVolume() from a ${type} needs a pool of subvolumes`, async () => {
    const store = new MemoryVolumeStore({ layout: "flat" });
    const { options, ctx } = controllerRig({ store });
    putVolume(store, "pvc-a", { sizeBytes: 2 * GiB });
    await assert.rejects(createVolume(options, order({}, type), ctx), {
      kind: "invalid-argument",
      message: /plain files on pool "pool"/,
    });
  });

  test(`createVolume() from a ${type} of another appliance is refused`, async () => {
    const elsewhere = memoryAppliance({ name: "lab-2", idPrefix: "lab-2" });
    const store = new MemoryVolumeStore();
    const { options, ctx } = controllerRig({
      appliances: [memoryAppliance({ volumes: store }), elsewhere],
    });
    const wanted = { ...order({}, type), parameters: { appliance: "lab-2" } };
    await assert.rejects(createVolume(options, wanted, ctx), { kind: "not-found" });
    putVolume(store, "pvc-a");
    store.snapshots.put(leaf);
    await assert.rejects(createVolume(options, wanted, ctx), {
      kind: "invalid-argument",
      message: /it is on appliance "rds", and the StorageClass says "lab-2"/,
    });
    assert.deepEqual(elsewhere.volumes.calls, []);
  });

  test(`createVolume() from a ${type} needs room for all that may be written to it`, async () => {
    const { options, store, ctx } = await rig();
    store.otherBytes = TiB * 0.9 - 3 * GiB;
    await assert.rejects(createVolume(options, order({}, type), ctx), {
      kind: "resource-exhausted",
    });
    assert.equal(store.hasImage(slot), false);
  });
}

test("createVolume() from ids that nothing can bear finds nothing", async () => {
  const { options, ctx } = await rig();
  for (const source of [
    { type: "snapshot", id: "nightly" },
    { type: "snapshot", id: "pvc-a" },
    { type: "volume", id: "a/b/c" },
    { type: "volume", id: "_snapshots.lab" },
  ] as const)
    await assert.rejects(createVolume(options, { ...order({}, "volume"), source }, ctx), {
      kind: "not-found",
    });
});

test("createVolume() finishes a copy whose reply was lost", async () => {
  const { options, store, ctx } = await rig();
  const error = new DriverError("unknown-outcome", "Cannot create volume: connection lost");
  store.failNext({ method: "create", when: "after", error });
  const wanted = order({ requiredBytes: 3 * GiB }, "snapshot");
  await assert.rejects(createVolume(options, wanted, ctx), { kind: "unknown-outcome" });
  assert.equal((await createVolume(options, wanted, ctx)).sizeBytes, 3 * GiB);
});
