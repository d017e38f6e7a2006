import assert from "node:assert/strict";
import { test } from "node:test";
import type { Survey, Volume } from "#domain/volume.ts";
import { GiB, MiB, TiB } from "#lib/bytes.ts";
import { controllerRig, putVolume } from "#test/fakes/controller-rig.ts";
import { calmMs, roomToOpen, verdictOn } from "./emergency.ts";

const limits = { reserve: 0.1, emergency: 0.02, overprovision: 1 };

function survey(freeBytes: number, volumes: readonly Volume[] = [], sizeBytes = 100 * GiB): Survey {
  const pool = { mountPoint: "pool", layout: "subvolume", sizeBytes, freeBytes } as const;
  return { volumes, pool, provisionedBytes: 0 };
}

function volume(halted: boolean): Volume {
  const { store } = controllerRig();
  const found = store.peek(putVolume(store, "pvc-a", { tag: { halted } }));
  assert.ok(found);
  return found;
}

test("verdictOn() shuts a pool below its mark, and opens it with twice as much room", () => {
  const halted = [volume(false), volume(true)];
  assert.equal(verdictOn(survey(2 * GiB), limits), "open");
  assert.equal(verdictOn(survey(2 * GiB - 1), limits), "shut");
  assert.equal(verdictOn(survey(4 * GiB - 1, halted), limits), "shut");
  assert.equal(verdictOn(survey(4 * GiB, halted), limits), "open");
  assert.equal(verdictOn(survey(4 * GiB - 1, [volume(false)]), limits), "open");
});

test("verdictOn() never shuts a pool without a mark, and opens one whose mark was taken away", () => {
  const none = { ...limits, emergency: 0 };
  assert.equal(verdictOn(survey(0), none), "open");
  assert.equal(verdictOn(survey(0, [volume(true)]), none), "open");
});

test("calmMs() is shorter than it takes to fill a pool down to its mark and to take all exports off, and never long", () => {
  assert.equal(calmMs(survey(TiB, [], TiB), limits), 30_000);
  assert.equal(calmMs(survey(0.02 * TiB + 40e9, [], TiB), limits), 8_500);
  assert.equal(calmMs(survey(12 * GiB), limits), 8_500);
  const exported = { ...volume(false), exported: { enabled: true, nqn: "nqn.x", port: 4420 } };
  const many = Array.from({ length: 20 }, () => exported);
  assert.equal(calmMs(survey(12 * GiB, many), limits), 4_500, "to take 20 off takes four seconds");
  assert.equal(calmMs(survey(2 * GiB + MiB), limits), 1_000);
  assert.equal(calmMs(survey(2 * GiB + MiB), { ...limits, emergency: 0 }), 30_000);
});

test("roomToOpen() is what people have to free", () => {
  assert.equal(roomToOpen(limits), "4%");
  assert.equal(roomToOpen({ ...limits, emergency: 0.025 }), "5%");
  assert.equal(roomToOpen({ ...limits, emergency: 0.07 }), "14%");
});
