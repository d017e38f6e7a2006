import assert from "node:assert/strict";
import test from "node:test";
import { DriverError, isFailure } from "#domain/errors.ts";
import type { NewVolume } from "#domain/ports/volume-store.ts";
import { snapshotKeyForName } from "#domain/snapshot-id.ts";
import type { Slot } from "#domain/volume-id.ts";
import { GiB } from "#lib/bytes.ts";
import { testContext } from "#test/fakes/context.ts";
import { ManualClock } from "#test/fakes/manual-clock.ts";
import { momentsOf } from "#test/rig/line-moments.ts";
import { newVolume } from "#test/rig/new-volume.ts";
import { type PoolContent, poolContent } from "#test/rig/pool-content.ts";
import { SimulatedAppliance } from "#test/rig/simulated-appliance.ts";
import type { RouterOsAppliance } from "./appliance.ts";

const ctx = testContext();
const key = snapshotKeyForName("before");
const leaf = { key, source: "pvc-a" as Slot, sizeBytes: GiB };
const leafName = `${key}.pvc-a.1024`;
const restored = newVolume("pvc-b", { origin: { type: "snapshot", leaf }, sizeBytes: 2 * GiB });
const cloned = newVolume("pvc-b", {
  origin: { type: "volume", slot: "pvc-a" as Slot, sizeBytes: GiB },
});

const folders = ["csi", "csi/c1"];
const fresh: PoolContent = { disks: ["pvc-a 1G"], subvolumes: [...folders, "pvc-a"] };
const taken: PoolContent = {
  disks: fresh.disks,
  subvolumes: [...fresh.subvolumes, "snapshots", `snapshots/${leafName} (ro)`],
};
const removed: PoolContent = { disks: fresh.disks, subvolumes: [...fresh.subvolumes, "snapshots"] };
const withCopy = (before: PoolContent, size: string): PoolContent => ({
  disks: [...before.disks, `pvc-b ${size}`],
  subvolumes: [...before.subvolumes, "pvc-b"].toSorted(),
});

interface Operation {
  readonly name: string;
  readonly line: RegExp;
  /** Commands of the line that change something, where nothing was there before. */
  readonly changes: number;
  readonly before: PoolContent;
  readonly after: PoolContent;
  /** As the use cases do it: what an earlier try has begun is finished. */
  run(appliance: RouterOsAppliance): Promise<unknown>;
}

async function create({ volumes }: RouterOsAppliance, spec: NewVolume): Promise<void> {
  const found = await volumes.find(spec.slot, ctx);
  const volume = found ?? (await volumes.create(spec, ctx));
  await volumes.grow(volume, spec.sizeBytes, ctx);
}

const operations: readonly Operation[] = [
  {
    name: "take()",
    line: /subvolume\/add .* read-only=yes/,
    changes: 2,
    before: fresh,
    after: taken,
    run: async ({ volumes, snapshots }) => {
      const volume = await volumes.find("pvc-a" as Slot, ctx);
      assert.ok(volume);
      assert.deepEqual((await snapshots.take(volume, key, ctx)).leaf, leaf);
    },
  },
  {
    name: "remove()",
    line: /subvolume\/remove/,
    changes: 1,
    before: taken,
    after: removed,
    run: ({ snapshots }) => snapshots.remove(leaf, ctx),
  },
  {
    name: "create() from a snapshot, larger",
    line: /subvolume\/add .* read-only=no/,
    changes: 3,
    before: taken,
    after: withCopy(taken, "2G"),
    run: (appliance) => create(appliance, restored),
  },
  {
    name: "create() from a volume",
    line: /subvolume\/add .* read-only=no/,
    changes: 3,
    before: fresh,
    after: withCopy(fresh, "1G"),
    run: (appliance) => create(appliance, cloned),
  },
];

async function prepare({ volumes, snapshots }: RouterOsAppliance, { before }: Operation) {
  const volume = await volumes.create(newVolume("pvc-a"), ctx);
  if (before === taken) await snapshots.take(volume, key, ctx);
}

for (const operation of operations) {
  for (const { at, changes } of momentsOf(operation))
    for (const action of ["cut", "truncate", "error"] as const) {
      if (action === "error" && at !== "during") continue;
      test(`${operation.name} comes right after ${action} ${at} its line, behind ${changes} changes`, async () => {
        await using rig = await SimulatedAppliance.start();
        const clock = new ManualClock();
        const driver = await rig.warmDriver({ clock, commandTimeoutMs: 5_000 });
        await prepare(driver, operation);
        assert.deepEqual(await poolContent(rig), operation.before);
        const fault = { match: operation.line, at, action, changes } as const;
        const armed = rig.simulator.faults.add(fault);
        await attempt(() => operation.run(driver));
        assert.equal(armed.struck, 1);
        await settled(() => operation.run(driver), clock);
        assert.deepEqual(await poolContent(rig), operation.after);
        await operation.run(driver);
        assert.deepEqual(await poolContent(rig), operation.after);
      });
    }
}

/** A copy that was begun rests before it is cleared away. */
async function settled(run: () => Promise<unknown>, clock: ManualClock): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof DriverError) || !/may still be at it/.test(error.message)) throw error;
    clock.advance(5_000);
    await run();
  }
}

async function attempt(run: () => Promise<unknown>): Promise<void> {
  try {
    await run();
  } catch (error) {
    assert.ok(isFailure(error, "unknown-outcome", "internal"), String(error));
  }
}

test("a copy that RouterOS refuses half-way leaves nothing behind", async () => {
  for (const changes of [1, 2]) {
    await using rig = await SimulatedAppliance.start();
    const driver = await rig.warmDriver();
    const [, , operation] = operations;
    assert.ok(operation);
    await prepare(driver, operation);
    const fault = { match: operation.line, at: "during", action: "error", changes } as const;
    rig.simulator.faults.add({ ...fault, text: "failure: strange" });
    const copying = driver.volumes.create(restored, ctx);
    if (changes === 1) {
      await assert.rejects(copying, {
        kind: "internal",
        message: /RouterOS says "failure: strange"/,
      });
      assert.deepEqual(await poolContent(rig), taken);
    } else {
      // Behind its second change the entry is there, to be grown by who asked for it.
      assert.equal((await copying).sizeBytes, GiB);
      assert.deepEqual((await poolContent(rig)).disks, ["pvc-a 1G", "pvc-b 1G"]);
    }
  }
});

test("a volume that was begun as a copy is deleted with what it has left", async () => {
  await using rig = await SimulatedAppliance.start();
  const driver = await rig.warmDriver();
  const [, , operation] = operations;
  assert.ok(operation);
  await prepare(driver, operation);
  rig.simulator.faults.add({ match: operation.line, at: "during", action: "cut" });
  await assert.rejects(driver.volumes.create(restored, ctx), { kind: "unknown-outcome" });
  assert.deepEqual((await poolContent(rig)).subvolumes, withCopy(taken, "").subvolumes);
  await driver.volumes.delete("pvc-b" as Slot, undefined, ctx);
  assert.deepEqual(await poolContent(rig), taken);
});
