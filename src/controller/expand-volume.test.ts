import assert from "node:assert/strict";
import { test } from "node:test";
import { DriverError } from "#domain/errors.ts";
import { GiB, MiB } from "#lib/bytes.ts";
import { controllerRig, putVolume } from "#test/fakes/controller-rig.ts";
import { MemoryVolumeStore } from "#test/fakes/memory-volume-store.ts";
import { expandVolume } from "./expand-volume.ts";

const id = "pvc-a";
const to = (requiredBytes: number, limitBytes = 0) => ({ id, size: { requiredBytes, limitBytes } });

test("expandVolume() grows a volume with two calls of the appliance", async () => {
  const { options, store, ctx, log } = controllerRig();
  const slot = putVolume(store, id);
  assert.equal(await expandVolume(to(3 * GiB - 1), options, ctx), 3 * GiB);
  assert.equal(store.peek(slot)?.sizeBytes, 3 * GiB);
  assert.deepEqual(store.calls, ["survey", "grow"]);
  assert.partialDeepStrictEqual(log.records, [
    { level: "info", fields: { volumeId: id, fromBytes: GiB, toBytes: 3 * GiB } },
  ]);
});

test("expandVolume() leaves a volume alone that is large enough, and never shrinks it (pitfall 7)", async () => {
  const { options, store, ctx } = controllerRig();
  putVolume(store, id, { sizeBytes: 3 * GiB });
  for (const bytes of [MiB, 2 * GiB, 3 * GiB])
    assert.equal(await expandVolume(to(bytes), options, ctx), 3 * GiB);
  assert.equal(await expandVolume(to(0, 4 * GiB), options, ctx), 3 * GiB);
  assert.ok(!store.calls.includes("grow"));
});

test("expandVolume() answers a retry after a lost reply with the new size (pitfall 23)", async () => {
  const { options, store, ctx } = controllerRig();
  putVolume(store, id);
  const error = new DriverError("unknown-outcome", "Cannot expand volume: connection lost");
  store.failNext({ method: "grow", when: "after", error });
  await assert.rejects(expandVolume(to(2 * GiB), options, ctx), {
    kind: "unknown-outcome",
  });
  assert.equal(await expandVolume(to(2 * GiB), options, ctx), 2 * GiB);
});

test("expandVolume() refuses a limit that it would have to exceed", async () => {
  const { options, store, ctx } = controllerRig();
  putVolume(store, id, { sizeBytes: 3 * GiB });
  for (const range of [to(2 * GiB, 2 * GiB), to(4 * GiB + 1, 4 * GiB + 2)])
    await assert.rejects(expandVolume(range, options, ctx), { kind: "out-of-range" });
});

test("expandVolume() needs room for the difference only", async () => {
  const store = new MemoryVolumeStore({ poolBytes: 10 * GiB });
  const { options, ctx } = controllerRig({ store });
  putVolume(store, id, { sizeBytes: 6 * GiB });
  assert.equal(await expandVolume(to(9 * GiB), options, ctx), 9 * GiB);
  await assert.rejects(expandVolume(to(9 * GiB + MiB), options, ctx), {
    kind: "resource-exhausted",
    message:
      /^Cannot expand volume "pvc-a" from 9 GiB to 9.0 GiB on appliance "rds": 1 GiB of 10 GiB/,
  });
  await assert.rejects(expandVolume(to(11 * GiB), options, ctx), {
    kind: "out-of-range",
  });
});

test("expandVolume() finds no volume that is not there, and says why one is not ours", async () => {
  const { options, store, ctx } = controllerRig();
  await assert.rejects(expandVolume(to(GiB), options, ctx), { kind: "not-found" });
  store.putEntry(putVolume(store, id), "nightly backups");
  await assert.rejects(expandVolume(to(2 * GiB), options, ctx), {
    kind: "failed-precondition",
    message: /its comment "nightly backups"/,
  });
});

test("expandVolume() waits for a volume whose size the appliance does not tell", async () => {
  const { options, store, ctx } = controllerRig();
  putVolume(store, id, { sizeBytes: 0 });
  await assert.rejects(expandVolume(to(2 * GiB), options, ctx), {
    kind: "unavailable",
    message: /^Cannot use volume "pvc-a": appliance "rds" does not tell its size/,
  });
  assert.ok(!store.calls.includes("grow"));
});
