import assert from "node:assert/strict";
import { test } from "node:test";
import type { VolumeUse } from "#domain/access-mode.ts";
import { GiB, MiB } from "#lib/bytes.ts";
import { controllerRig, putVolume } from "#test/fakes/controller-rig.ts";
import { memoryAppliance } from "#test/fakes/memory-appliances.ts";
import { MemoryVolumeStore } from "#test/fakes/memory-volume-store.ts";
import { createVolume } from "./create-volume.ts";
import { getCapacity } from "./get-capacity.ts";

const xfs: VolumeUse = {
  accessMode: "single-node-writer",
  access: { type: "mount", fsType: "xfs", mountFlags: [] },
};

function rigOf(poolBytes: number) {
  return controllerRig({ store: new MemoryVolumeStore({ poolBytes }) });
}

test("getCapacity() tells what is left with one call of the appliance", async () => {
  const { options, store, ctx } = rigOf(10 * GiB);
  putVolume(store, "pvc-a", { sizeBytes: 4 * GiB });
  const capacity = await getCapacity({ uses: [], parameters: {} }, options.appliances, ctx);
  assert.deepEqual(capacity, { available: 5 * GiB, maximum: 5 * GiB, minimum: MiB });
  assert.deepEqual(store.calls, ["survey"]);
});

test("getCapacity() promises no more than createVolume() makes, to the byte", async () => {
  const { options, ctx } = rigOf(10 * GiB + 4097);
  const question = { uses: [xfs], parameters: {} };
  const { maximum } = await getCapacity(question, options.appliances, ctx);
  const order = (name: string, requiredBytes: number) => ({
    ...question,
    name,
    size: { requiredBytes, limitBytes: 0 },
  });
  await assert.rejects(createVolume(options, order("too large", maximum + 1), ctx), {
    kind: "resource-exhausted",
  });
  assert.equal((await createVolume(options, order("fits", maximum), ctx)).sizeBytes, maximum);
});

test("getCapacity() is nothing where not even the smallest volume fits", async () => {
  const { options, ctx } = rigOf(200 * MiB);
  const capacity = await getCapacity({ uses: [xfs], parameters: {} }, options.appliances, ctx);
  assert.deepEqual(capacity, { available: 0, maximum: 0, minimum: 300 * MiB });
});

test("getCapacity() asks the appliance that the parameters name", async () => {
  const store = new MemoryVolumeStore({ poolBytes: 20 * GiB });
  const second = memoryAppliance({ name: "lab-2", idPrefix: "lab-2", volumes: store });
  const { options, ctx } = controllerRig({ appliances: [memoryAppliance(), second] });
  const parameters = { appliance: "lab-2" };
  const { available } = await getCapacity({ uses: [], parameters }, options.appliances, ctx);
  assert.equal(available, 18 * GiB);
  await assert.rejects(
    getCapacity({ uses: [], parameters: { appliance: "x" } }, options.appliances, ctx),
    { kind: "invalid-argument" },
  );
});
