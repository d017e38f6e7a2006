import assert from "node:assert/strict";
import { test } from "node:test";
import type { VolumeUse } from "#domain/access-mode.ts";
import { DriverError } from "#domain/errors.ts";
import type { Slot } from "#domain/volume-id.ts";
import { GiB, MiB } from "#lib/bytes.ts";
import { controllerRig, putVolume } from "#test/fakes/controller-rig.ts";
import { memoryAppliance } from "#test/fakes/memory-appliances.ts";
import { MemoryVolumeStore } from "#test/fakes/memory-volume-store.ts";
import { createVolume, idForOrder, type VolumeOrder } from "./create-volume.ts";

const slot = "pvc-h4oj4yekkvgdthj6bvfg6d4kce" as Slot;
const ext4: VolumeUse = {
  accessMode: "single-node-writer",
  access: { type: "mount", fsType: "ext4", mountFlags: [] },
};
const order: VolumeOrder = {
  name: "pvc-3f1c9e60-8a55-4c39-9d3e-0d4a6f0f8a11",
  size: { requiredBytes: 2 * GiB, limitBytes: 0 },
  uses: [ext4],
  parameters: {},
};

test("createVolume() makes an unexported volume with two calls of the appliance", async () => {
  const { options, store, ctx, log } = controllerRig();
  const created = await createVolume(options, order, ctx);
  assert.deepEqual(created, { id: slot, sizeBytes: 2 * GiB, context: {} });
  assert.deepEqual(store.calls, ["survey", "create"]);
  assert.equal(store.peek(slot)?.exported.enabled, false);
  assert.equal(store.peek(slot)?.comment, "rds-csi=1 cluster=lab rev=1");
  assert.deepEqual(log.records, [
    { level: "info", message: "Volume created", fields: { volumeId: slot, sizeBytes: 2 * GiB } },
  ]);
});

test("createVolume() gives the node what the StorageClass says, and keeps for whom it is", async () => {
  const { options, store, ctx } = controllerRig();
  const parameters = {
    ctrlLossTmo: "600",
    mkfsOptions: "-m 1",
    appliance: "rds",
    "csi.storage.k8s.io/pv/name": "pvc-1",
    "csi.storage.k8s.io/pvc/name": "data",
    "csi.storage.k8s.io/pvc/namespace": "shop",
  };
  const { context } = await createVolume(options, { ...order, parameters }, ctx);
  assert.deepEqual(context, { ctrlLossTmo: "600", mkfsOptions: "-m 1" });
  assert.equal(store.peek(slot)?.tag.pv, "pvc-1");
  assert.equal(store.peek(slot)?.tag.pvc, "shop/data");
});

test("createVolume() returns the same volume again, without a second one", async () => {
  const { options, store, ctx } = controllerRig();
  const first = await createVolume(options, order, ctx);
  const second = await createVolume(options, order, ctx);
  assert.deepEqual(second, first);
  assert.deepEqual(store.calls, ["survey", "create", "survey"]);
});

test("createVolume() accepts a volume that is large enough already", async () => {
  const { options, store, ctx } = controllerRig();
  putVolume(store, slot, { sizeBytes: 3 * GiB });
  const range = { requiredBytes: 2 * GiB, limitBytes: 3 * GiB };
  const { sizeBytes } = await createVolume(options, { ...order, size: range }, ctx);
  assert.equal(sizeBytes, 3 * GiB);
});

test("createVolume() refuses to take a volume of another size for the one asked for", async () => {
  for (const sizeBytes of [GiB, 4 * GiB]) {
    const { options, store, ctx } = controllerRig();
    putVolume(store, slot, { sizeBytes });
    const size = { requiredBytes: 2 * GiB, limitBytes: 3 * GiB };
    await assert.rejects(createVolume(options, { ...order, size }, ctx), {
      kind: "already-exists",
      message: `Cannot create volume "${order.name}": "${slot}" exists with ${sizeBytes} bytes, asked for are at least ${2 * GiB} and at most ${3 * GiB}`,
    });
  }
});

test("createVolume() refuses to take a volume made from a snapshot for an empty one (pitfall 14)", async () => {
  const { options, store, ctx } = controllerRig();
  putVolume(store, slot, { sizeBytes: 2 * GiB, tag: { source: "snap-1" } });
  await assert.rejects(createVolume(options, order, ctx), {
    kind: "already-exists",
    message: /was made from "snap-1"/,
  });
});

test("createVolume() compares size and source also when another controller was faster", async () => {
  const { options, store, ctx } = controllerRig();
  store.overtakeNext("create", async () => putVolume(store, slot, { sizeBytes: GiB }));
  await assert.rejects(createVolume(options, order, ctx), { kind: "already-exists" });
});

test("createVolume() finds after a lost reply what the first try has made (pitfall 13)", async () => {
  const { options, store, ctx } = controllerRig();
  const error = new DriverError("unknown-outcome", "Cannot create volume: connection lost");
  store.failNext({ method: "create", when: "after", error });
  await assert.rejects(createVolume(options, order, ctx), { kind: "unknown-outcome" });
  const { sizeBytes } = await createVolume(options, order, ctx);
  assert.equal(sizeBytes, 2 * GiB);
});

test("createVolume() makes nothing when the appliance could not be read (pitfall 13)", async () => {
  const { options, store, ctx } = controllerRig();
  const error = new DriverError("unavailable", "Cannot reach appliance");
  store.failNext({ method: "survey", when: "before", error });
  await assert.rejects(createVolume(options, order, ctx), { kind: "unavailable" });
  assert.deepEqual(store.calls, ["survey"]);
});

test("createVolume() never touches a disk that is not ours (pitfall 8)", async () => {
  const { options, store, ctx } = controllerRig();
  store.putEntry(slot, "rds-csi=1 cluster=other rev=1");
  await assert.rejects(createVolume(options, order, ctx), { kind: "failed-precondition" });
});

test("createVolume() makes the file system's minimum out of a smaller request", async () => {
  const { options, ctx } = controllerRig();
  const access = { type: "mount", fsType: "xfs", mountFlags: [] } as const;
  const size = { requiredBytes: MiB, limitBytes: 0 };
  const small = { ...order, size, uses: [{ ...ext4, access }] };
  assert.equal((await createVolume(options, small, ctx)).sizeBytes, 300 * MiB);
});

test("createVolume() tells a pool that is too small from one that is too full", async () => {
  const store = new MemoryVolumeStore({ poolBytes: 10 * GiB });
  const { options, ctx } = controllerRig({ store });
  const sized = (bytes: number) => ({ ...order, size: { requiredBytes: bytes, limitBytes: 0 } });
  await assert.rejects(createVolume(options, sized(11 * GiB), ctx), { kind: "out-of-range" });
  store.otherBytes = 8 * GiB;
  await assert.rejects(createVolume(options, sized(2 * GiB), ctx), {
    kind: "resource-exhausted",
    message: `Cannot create volume "${slot}" of 2 GiB on appliance "rds": 2 GiB of 10 GiB are free, and 1 GiB of them stay in reserve`,
  });
  assert.deepEqual(store.calls, ["survey", "survey"]);
});

test("createVolume() puts the appliance into the id, unless it is the default one", async () => {
  const second = memoryAppliance({ name: "lab-2", idPrefix: "lab-2" });
  const { options, ctx } = controllerRig({ appliances: [memoryAppliance(), second] });
  const elsewhere = { ...order, parameters: { appliance: "lab-2" } };
  assert.equal((await createVolume(options, elsewhere, ctx)).id, `lab-2/${slot}`);
  assert.equal(idForOrder(elsewhere, options.appliances), `lab-2/${slot}`);
  assert.ok(second.volumes.hasImage(slot));
});

test("createVolume() warns of parameters that have no effect any more", async () => {
  const { options, ctx, log } = controllerRig();
  const parameters = { rdsAddress: "10.0.0.1", ctrlLossTmo: "600", nqnPrefix: "nqn.x" };
  await createVolume(options, { ...order, parameters }, ctx);
  assert.deepEqual(log.records[0], {
    level: "warn",
    message: "StorageClass parameters without effect are ignored",
    fields: { parameters: ["rdsAddress", "nqnPrefix"] },
  });
});

test("createVolume() asks the appliance nothing when the order makes no sense", async () => {
  const wrong: readonly Partial<VolumeOrder>[] = [
    { name: "" },
    { name: "a\u0000" },
    { uses: [] },
    { size: { requiredBytes: 2, limitBytes: 1 } },
    { parameters: { colour: "red" } },
    { parameters: { appliance: "lab-9" } },
    { parameters: { mkfsOptions: "-F" } },
  ];
  for (const part of wrong) {
    const { options, store, ctx } = controllerRig();
    await assert.rejects(createVolume(options, { ...order, ...part }, ctx), {
      kind: "invalid-argument",
    });
    assert.deepEqual(store.calls, []);
  }
});

test("createVolume() never promises more than the pool has, whatever comes at once", async () => {
  const { options, store, ctx } = controllerRig();
  const { pool } = await store.survey();
  const sizeBytes = Math.floor(pool.sizeBytes / 10);
  const orders = Array.from({ length: 20 }, (_, index) => ({
    ...order,
    name: `volume-${index}`,
    size: { requiredBytes: sizeBytes, limitBytes: 0 },
  }));
  const outcomes = await Promise.allSettled(orders.map((one) => createVolume(options, one, ctx)));
  const refused = outcomes.filter(({ status }) => status === "rejected");
  const { provisionedBytes } = await store.survey();
  assert.ok(provisionedBytes <= pool.sizeBytes * 0.9, `${provisionedBytes} bytes are promised`);
  assert.ok(refused.length >= 11, `only ${refused.length} were refused`);
  for (const outcome of refused)
    assert.equal(outcome.status === "rejected" && outcome.reason.kind, "resource-exhausted");
});
