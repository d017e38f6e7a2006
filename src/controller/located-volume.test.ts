import assert from "node:assert/strict";
import { test } from "node:test";
import type { Slot } from "#domain/volume-id.ts";
import { MemoryAppliances, memoryAppliance } from "#test/fakes/memory-appliances.ts";
import { idOf, locateVolume, requireLocation } from "./located-volume.ts";

const first = memoryAppliance();
const second = memoryAppliance({ name: "lab-2", idPrefix: "lab-2" });
const appliances = new MemoryAppliances(first, second);

test("locateVolume() finds the appliance of an id, and idOf() gives the same id back", () => {
  for (const [id, appliance] of [["pvc-a", first] as const, ["lab-2/pvc-a", second] as const]) {
    assert.deepEqual(locateVolume(id, appliances), { id, appliance, slot: "pvc-a" });
    assert.equal(idOf("pvc-a" as Slot, appliance), id);
  }
});

test("locateVolume() knows no second id for a volume of the default appliance", () => {
  assert.throws(() => locateVolume("rds/pvc-a", appliances), { kind: "failed-precondition" });
});

test("locateVolume() refuses an appliance that is not configured, instead of calling its volumes gone", () => {
  assert.throws(() => locateVolume("lab-9/pvc-a", appliances), {
    kind: "failed-precondition",
    message: 'Cannot use volume "lab-9/pvc-a": no configured appliance has ids with prefix "lab-9"',
  });
  assert.throws(() => locateVolume("pvc-a", new MemoryAppliances(second)), {
    kind: "failed-precondition",
    message: /with no prefix/,
  });
});

test("requireLocation() finds nothing under text that cannot be an id", () => {
  assert.equal(locateVolume("../etc", appliances), undefined);
  assert.throws(() => requireLocation("../etc", appliances), { kind: "not-found" });
});
