import assert from "node:assert/strict";
import { test } from "node:test";
import type { Slot } from "#domain/volume-id.ts";
import { controllerRig, putVolume } from "#test/fakes/controller-rig.ts";
import { memoryAppliance } from "#test/fakes/memory-appliances.ts";
import { requireOrigin } from "./content-source.ts";

test("requireOrigin() does not deny a volume whose Btrfs pool has lost its label, but refuses to copy it", async () => {
  const { store } = controllerRig();
  const slot = "pvc-a" as Slot;
  putVolume(store, slot);
  const survey = await store.survey();
  assert.equal(survey.volumes[0]?.layout, "subvolume");
  const pool = { ...survey.pool, layout: "flat" } as const;
  const target = {
    size: { requiredBytes: 0, limitBytes: 0 },
    survey: { ...survey, pool },
    appliance: memoryAppliance({ volumes: store }),
  };
  assert.throws(() => requireOrigin({ type: "volume", id: slot, slot }, target), {
    kind: "invalid-argument",
    message: /RouterOS copies Btrfs subvolumes only$/,
  });
});
