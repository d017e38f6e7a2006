import assert from "node:assert/strict";
import { test } from "node:test";
import { DriverError } from "#domain/errors.ts";
import type { Slot } from "#domain/volume-id.ts";
import { GiB } from "#lib/bytes.ts";
import { controllerRig, putVolume } from "#test/fakes/controller-rig.ts";
import { deleteVolume } from "./delete-volume.ts";

test("deleteVolume() removes disk and image, and succeeds again", async () => {
  const { options, store, ctx, log } = controllerRig();
  const slot = putVolume(store, "pvc-a");
  await deleteVolume(slot, options.appliances, ctx);
  assert.equal(store.peek(slot), undefined);
  assert.equal(store.hasImage(slot), false);
  assert.deepEqual(store.calls, ["find", "delete"]);
  assert.deepEqual(
    log.records.map(({ message }) => message),
    ["Volume deleted"],
  );
  await deleteVolume(slot, options.appliances, ctx);
  assert.equal(log.records.length, 1);
});

test("deleteVolume() removes the image that an interrupted try has left", async () => {
  const { options, store, ctx } = controllerRig();
  const slot = putVolume(store, "pvc-a");
  const error = new DriverError("unknown-outcome", "Cannot delete volume: connection lost");
  store.failNext({ method: "delete", when: "midway", error });
  await assert.rejects(deleteVolume(slot, options.appliances, ctx), { kind: "unknown-outcome" });
  assert.equal(store.hasImage(slot), true);
  await deleteVolume(slot, options.appliances, ctx);
  assert.equal(store.hasImage(slot), false);
});

test("deleteVolume() refuses while the volume is attached, naming the nodes (pitfall 12)", async () => {
  const { options, store, ctx } = controllerRig();
  const attachment = { nodes: ["n1", "n2"], mode: "multi-node-reader-only", since: 1 } as const;
  const slot = putVolume(store, "pvc-a", { tag: { attachment } });
  await assert.rejects(deleteVolume(slot, options.appliances, ctx), {
    kind: "failed-precondition",
    message: 'Cannot delete volume "pvc-a": it is attached to "n1" and "n2"',
  });
  assert.ok(store.peek(slot) && store.hasImage(slot));
});

test("deleteVolume() keeps a volume that was attached after it had been read", async () => {
  const { options, store, ctx } = controllerRig();
  const slot = putVolume(store, "pvc-a");
  const attachment = { nodes: ["n1"], mode: "single-node-writer", since: 1 } as const;
  store.overtakeNext("delete", async () => putVolume(store, slot, { tag: { attachment } }));
  await assert.rejects(deleteVolume(slot, options.appliances, ctx), { kind: "operation-pending" });
  assert.ok(store.peek(slot) && store.hasImage(slot));
});

test("deleteVolume() never touches a disk that is not ours (pitfall 8)", async () => {
  const { options, store, ctx } = controllerRig();
  const slot = "backup" as Slot;
  store.putImage(slot, GiB);
  store.putEntry(slot, "nightly backups");
  await assert.rejects(deleteVolume(slot, options.appliances, ctx), {
    kind: "failed-precondition",
  });
  assert.equal(store.hasImage(slot), true);
});

test("deleteVolume() does not call a volume gone that is on an appliance it does not know", async () => {
  const { options, store, ctx } = controllerRig();
  await assert.rejects(deleteVolume("lab-9/pvc-a", options.appliances, ctx), {
    kind: "failed-precondition",
  });
  assert.deepEqual(store.calls, []);
});

test("deleteVolume() has nothing to do for what cannot be an id, and says so", async () => {
  const { options, store, ctx, log } = controllerRig();
  await deleteVolume("not/a/volume", options.appliances, ctx);
  assert.deepEqual(store.calls, []);
  assert.partialDeepStrictEqual(log.records, [
    { level: "warn", fields: { volumeId: "not/a/volume" } },
  ]);
});

test("deleteVolume() fails when the appliance cannot be read, instead of taking that for gone (pitfall 13)", async () => {
  const { options, store, ctx } = controllerRig();
  const slot = putVolume(store, "pvc-a");
  const error = new DriverError("unavailable", "Cannot reach appliance");
  store.failNext({ method: "find", when: "before", error });
  await assert.rejects(deleteVolume(slot, options.appliances, ctx), { kind: "unavailable" });
  assert.deepEqual(store.calls, ["find"]);
});
