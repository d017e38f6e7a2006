import assert from "node:assert/strict";
import test from "node:test";
import { isFailure } from "#domain/errors.ts";
import type { Nqn } from "#domain/nqn.ts";
import type { VolumeStore } from "#domain/ports/volume-store.ts";
import type { Volume } from "#domain/volume.ts";
import type { Slot } from "#domain/volume-id.ts";
import { GiB } from "#lib/bytes.ts";
import type { Fault, FaultAction, FaultMoment } from "#sim/ssh/faults.ts";
import { testContext } from "#test/fakes/context.ts";
import { newVolume } from "#test/rig/new-volume.ts";
import { SimulatedAppliance } from "#test/rig/simulated-appliance.ts";

const ctx = testContext();
const slot = "pvc-a" as Slot;
const nqn = "nqn.2000-02.com.mikrotik:pvc-a.1-abcdefgh" as Nqn;
const folder = "storage-pool/csi/c1/pvc-a";

/** The world around `slot`, past the driver. */
async function world(rig: SimulatedAppliance) {
  const disks = await rig.rows('/disk/print detail as-value where type="file"');
  const files = await rig.rows(`/file/print as-value where name~"^${folder}"`);
  const subvolumes = await rig.rows('/disk/btrfs/subvolume/print as-value where name="pvc-a"');
  return {
    disks: disks.map((row) => ({
      slot: row["slot"],
      size: row["size"],
      exported: row["nvme-tcp-export"],
      nqn: row["nvme-tcp-server-nqn"],
    })),
    files: files.map((row) => row["name"]),
    subvolumes: subvolumes.length,
  };
}

type World = Awaited<ReturnType<typeof world>>;

const image = { files: [folder, `${folder}/disk.img`], subvolumes: 1 };
const plain = { slot, size: GiB, exported: false, nqn: undefined };
const nothing: World = { disks: [], files: [], subvolumes: 0 };
const made: World = { disks: [plain], ...image };
const published: World = { disks: [{ ...plain, exported: true, nqn }], ...image };
const grown: World = { disks: [{ ...plain, size: 2 * GiB }], ...image };

interface Operation {
  readonly name: string;
  /** Which of its lines is hit. */
  readonly line: RegExp;
  readonly before: World;
  readonly after: World;
  /** The whole operation as the CO repeats it: it looks first, as every use case does. */
  run(store: VolumeStore): Promise<unknown>;
}

async function existing(store: VolumeStore): Promise<Volume> {
  const volume = await store.find(slot, ctx);
  assert.ok(volume);
  return volume;
}

async function publish(store: VolumeStore): Promise<void> {
  const volume = await existing(store);
  if (volume.exported.enabled) return;
  const tag = { ...volume.tag, revision: volume.tag.revision + 1 };
  const change = { tag, exported: { enabled: true, nqn, port: 4420 } } as const;
  assert.ok(await store.change(volume, change, ctx), "nobody else is there");
}

async function remove(store: VolumeStore): Promise<void> {
  await store.delete(slot, await store.find(slot, ctx), ctx);
}

const operations: readonly Operation[] = [
  {
    name: "create()",
    line: /\/disk\/add type=file slot/,
    before: nothing,
    after: made,
    run: (store) => store.create(newVolume(slot), ctx),
  },
  { name: "change()", line: /nvme-tcp-export=yes/, before: made, after: published, run: publish },
  {
    name: "grow()",
    line: /\/disk\/set .* file-size=/,
    before: made,
    after: grown,
    run: async (store) => store.grow(await existing(store), 2 * GiB, ctx),
  },
  {
    name: "delete() of an entry",
    line: /\/disk\/remove/,
    before: published,
    after: nothing,
    run: remove,
  },
  {
    name: "delete() of an image",
    line: /subvolume\/remove/,
    before: made,
    after: nothing,
    run: remove,
  },
];

/** Brings the world to where the operation starts from. */
async function prepare(store: VolumeStore, { before }: Operation): Promise<void> {
  if (before === nothing) return;
  await store.create(newVolume(slot), ctx);
  if (before === published) await publish(store);
}

/** A hang is waited for, so it is tried where it matters most. */
const moments: Readonly<Record<FaultMoment, readonly FaultAction[]>> = {
  before: ["cut", "truncate", "garbage"],
  during: ["cut", "truncate", "garbage"],
  after: ["cut", "truncate", "garbage", "hang"],
};

for (const operation of operations)
  for (const at of ["before", "during", "after"] as const)
    for (const action of moments[at])
      test(`${operation.name} comes right after a ${action} ${at} its line, sent once per try`, async () => {
        await using rig = await SimulatedAppliance.start();
        const { volumes } = await rig.warmDriver({ commandTimeoutMs: 1_000 });
        await prepare(volumes, operation);
        assert.deepEqual(await world(rig), operation.before);
        const fault = rig.simulator.faults.add({ match: operation.line, at, action });
        rig.simulator.statistics.reset();
        const first = await attempt(() => operation.run(volumes));
        assert.equal(fault.struck, 1);
        assert.equal(linesLike(rig, operation.line), 1, "the line was repeated blindly");
        if (first === undefined) assert.deepEqual(await world(rig), operation.after);
        else assert.ok(isFailure(first, "unknown-outcome"), String(first));
        await operation.run(volumes);
        assert.deepEqual(await world(rig), operation.after);
      });

async function attempt(run: () => Promise<unknown>): Promise<unknown> {
  try {
    await run();
    return undefined;
  } catch (error) {
    return error;
  }
}

function linesLike(rig: SimulatedAppliance, pattern: RegExp): number {
  return rig.simulator.statistics.lines.filter((line) => pattern.test(line)).length;
}

test("a lost reply is made up for within the call when the state shows the effect", async () => {
  for (const operation of operations) {
    await using rig = await SimulatedAppliance.start();
    const { volumes } = await rig.warmDriver();
    await prepare(volumes, operation);
    rig.simulator.faults.add({ match: operation.line, at: "after", action: "cut" });
    await operation.run(volumes);
    assert.deepEqual(await world(rig), operation.after, operation.name);
  }
});

test("a command that had no effect leaves the volume and says that nobody knows", async () => {
  for (const operation of operations) {
    await using rig = await SimulatedAppliance.start();
    const { volumes } = await rig.warmDriver();
    await prepare(volumes, operation);
    rig.simulator.faults.add({ match: operation.line, at: "before", action: "cut" });
    await assert.rejects(async () => operation.run(volumes), { kind: "unknown-outcome" });
  }
});

test("an entry that somebody removes under a running line counts as what it is: gone", async () => {
  await using rig = await SimulatedAppliance.start();
  const { volumes } = await rig.warmDriver();
  const volume = await volumes.create(newVolume(slot), ctx);
  const noSuchItem = () =>
    rig.simulator.faults.add({
      match: /\/disk\/set/,
      at: "during",
      changes: 0,
      action: "error",
      text: "no such item (4)",
    });
  noSuchItem();
  const change = { tag: { ...volume.tag, revision: 1 } };
  await assert.rejects(volumes.change(volume, change, ctx), { kind: "unavailable" });
  assert.deepEqual(await world(rig), made);
  await rig.run("/disk/remove pvc-a");
  noSuchItem();
  assert.equal(await volumes.change(volume, change, ctx), undefined);
  noSuchItem();
  await assert.rejects(volumes.grow(volume, 2 * GiB, ctx), { kind: "not-found" });
  noSuchItem();
  await volumes.delete(slot, volume, ctx);
  assert.deepEqual(await world(rig), nothing);
});

const readFaults: readonly Omit<Fault, "match">[] = [
  { at: "before", action: "cut" },
  { at: "after", action: "cut" },
  { at: "after", action: "truncate" },
  { at: "before", action: "hang" },
];

for (const fault of readFaults)
  test(`find() repeats a read once after a ${fault.action} ${fault.at} it`, async () => {
    await using rig = await SimulatedAppliance.start();
    const { volumes } = await rig.warmDriver({ commandTimeoutMs: 1_000 });
    const volume = await volumes.create(newVolume(slot), ctx);
    rig.simulator.faults.add({ match: /where slot="pvc-a"/, ...fault });
    assert.deepEqual(await volumes.find(slot, ctx), volume);
  });

test("find() and survey() never take an unreadable reply for an empty one: pitfall 13", async () => {
  await using rig = await SimulatedAppliance.start();
  const { volumes } = await rig.warmDriver({ commandTimeoutMs: 1_000 });
  await volumes.create(newVolume(slot), ctx);
  for (const action of ["cut", "truncate", "hang"] as const) {
    rig.simulator.faults.add({ match: /\/disk\/print/, at: "after", action, times: 2 });
    await assert.rejects(volumes.find(slot, ctx), { kind: "unavailable" });
    rig.simulator.faults.add({ match: /\/disk\/print/, at: "after", action, times: 2 });
    await assert.rejects(volumes.survey(ctx), { kind: "unavailable" });
  }
});

test("find() reads past log lines in front of the reply", async () => {
  await using rig = await SimulatedAppliance.start();
  const { volumes } = await rig.warmDriver();
  const volume = await volumes.create(newVolume(slot), ctx);
  const text = "11-21 10:00:00 system,info [csi] {logged} in\r\n[csi@rds] >\r\n";
  rig.simulator.faults.add({ match: /where slot=/, at: "after", action: "garbage", text });
  assert.deepEqual(await volumes.find(slot, ctx), volume);
});

test("create() finishes an empty subvolume that an interrupted attempt left", async () => {
  await using rig = await SimulatedAppliance.start();
  const { volumes } = await rig.warmDriver();
  rig.simulator.faults.add({ match: /subvolume\/add .*pvc-a/, at: "during", action: "cut" });
  await assert.rejects(volumes.create(newVolume(slot), ctx), { kind: "unknown-outcome" });
  assert.deepEqual(await world(rig), { disks: [], files: [folder], subvolumes: 1 });
  await volumes.create(newVolume(slot), ctx);
  assert.deepEqual(await world(rig), made);
});
