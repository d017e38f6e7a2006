import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DriverError } from "#domain/errors.ts";
import type { Slot } from "#domain/volume-id.ts";
import { controllerRig, putVolume } from "#test/fakes/controller-rig.ts";
import { memoryAppliance } from "#test/fakes/memory-appliances.ts";
import { listVolumes } from "./list-volumes.ts";
import type { Page } from "./page.ts";

function twoAppliances() {
  const first = memoryAppliance();
  const second = memoryAppliance({ name: "lab-2", idPrefix: "lab-2" });
  return { ...controllerRig({ appliances: [first, second] }), first, second };
}
const everything: Page = { after: "", maxEntries: 0 };

test("listVolumes() shows the volumes of all appliances by their handles, in one order", async () => {
  const { options, ctx, first, second } = twoAppliances();
  for (const slot of ["pvc-b", "pvc-a"]) putVolume(first.volumes, slot);
  putVolume(second.volumes, "pvc-a");
  const { entries: volumes, complete } = await listVolumes(options.appliances, everything, ctx);
  assert.deepEqual(
    volumes.map(({ id }) => id),
    ["lab-2/pvc-a", "pvc-a", "pvc-b"],
  );
  assert.equal(complete, true);
  assert.deepEqual([first.volumes.calls, second.volumes.calls], [["survey"], ["survey"]]);
});

test("listVolumes() leaves out what is not ours", async () => {
  const { options, ctx, first } = twoAppliances();
  first.volumes.putEntry("backup" as Slot, "nightly");
  first.volumes.putEntry("pvc-x" as Slot, "rds-csi=1 cluster=other rev=1");
  assert.deepEqual((await listVolumes(options.appliances, everything, ctx)).entries, []);
});

test("listVolumes() fails when one appliance does not answer, instead of hiding its volumes", async () => {
  const { options, ctx, first, second } = twoAppliances();
  putVolume(first.volumes, "pvc-a");
  const error = new DriverError("unavailable", "Cannot reach appliance");
  second.volumes.failNext({ method: "survey", when: "before", error });
  await assert.rejects(listVolumes(options.appliances, everything, ctx), { kind: "unavailable" });
});

test("listVolumes() shows each volume that stays exactly once, whatever is deleted between pages", async () => {
  const names = fc.uniqueArray(fc.stringMatching(/^pvc-[a-z0-9]{1,3}$/), { maxLength: 12 });
  const gone = fc.array(fc.nat(), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(names, gone, fc.integer({ min: 1, max: 4 }), async (slots, holes, size) => {
      const { options, ctx, first } = twoAppliances();
      for (const slot of slots) putVolume(first.volumes, slot);
      const deleted = new Set(holes.flatMap((hole) => slots[hole % (slots.length || 1)] ?? []));
      const seen: string[] = [];
      for (let after = "", complete = false; !complete; ) {
        const page = await listVolumes(options.appliances, { after, maxEntries: size }, ctx);
        assert.ok(page.entries.length <= size);
        seen.push(...page.entries.map(({ id }) => id));
        after = seen.at(-1) ?? "";
        complete = page.complete;
        for (const slot of deleted)
          await first.volumes.delete(slot as Slot, first.volumes.peek(slot as Slot));
      }
      assert.deepEqual(seen, [...new Set(seen)].toSorted());
      for (const slot of slots) assert.ok(deleted.has(slot) || seen.includes(slot), slot);
    }),
    { numRuns: 50 },
  );
});

test("listVolumes() says that a page which ends with the last volume is the last one", async () => {
  const { options, ctx, first } = twoAppliances();
  putVolume(first.volumes, "pvc-a");
  const page = await listVolumes(options.appliances, { after: "", maxEntries: 1 }, ctx);
  assert.deepEqual([page.entries.length, page.complete], [1, true]);
});
