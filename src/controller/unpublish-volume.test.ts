import assert from "node:assert/strict";
import { test } from "node:test";
import { DriverError } from "#domain/errors.ts";
import { nqnFor } from "#domain/nqn.ts";
import type { VolumeChange } from "#domain/ports/volume-store.ts";
import type { Volume } from "#domain/volume.ts";
import { controllerRig, putVolume } from "#test/fakes/controller-rig.ts";
import { ManualClock } from "#test/fakes/manual-clock.ts";
import { memoryAppliance } from "#test/fakes/memory-appliances.ts";
import { MemoryVolumeStore } from "#test/fakes/memory-volume-store.ts";
import { beginEpoch, join } from "./attachment.ts";
import { Publisher } from "./publish-volume.ts";
import { unpublishVolume } from "./unpublish-volume.ts";

const id = "pvc-a";
const nqn = "nqn.2000-02.com.mikrotik:pvc-a.1-aaaaaaaa";
const epoch = { counter: 1, nonce: "aaaaaaaa" };

/** A volume that `nodes` have, exported. */
function rig(nodes: readonly string[], store = new MemoryVolumeStore(), clock = new ManualClock()) {
  const world = controllerRig({ store, clock });
  const mode = "multi-node-multi-writer";
  const slot = putVolume(store, id, {
    tag: { epoch, ...(nodes.length > 0 && { attachment: { nodes, mode, since: 1 } }) },
    exported: { enabled: nodes.length > 0, nqn },
  });
  const unpublish = (node?: string) => unpublishVolume(world.options, { id, node }, world.ctx);
  return { ...world, slot, unpublish, volume: () => store.peek(slot) };
}

test("unpublishVolume() turns the export off with the last node, keeping its epoch", async () => {
  const { unpublish, volume, store, clock, log } = rig(["n1"]);
  await unpublish("n1");
  assert.equal(volume()?.exported.enabled, false);
  assert.partialDeepStrictEqual(volume()?.tag, {
    epoch,
    departure: { node: "n1", at: clock.now().getTime() / 1_000 },
  });
  assert.equal(volume()?.tag.attachment, undefined);
  assert.deepEqual(store.calls, ["find", "change"]);
  assert.deepEqual(log.records, [
    {
      level: "info",
      message: "Volume unpublished",
      fields: { volumeId: id, nodesBefore: ["n1"], nodesAfter: [], exported: false },
    },
  ]);
});

test("unpublishVolume() of one of two nodes leaves the other its export (pitfall 11)", async () => {
  for (const [leaving, staying] of [
    ["n1", "n2"],
    ["n2", "n1"],
  ]) {
    const { unpublish, volume } = rig(["n1", "n2"]);
    await unpublish(leaving);
    assert.deepEqual(volume()?.tag.attachment?.nodes, [staying]);
    assert.deepEqual(volume()?.exported, { enabled: true, nqn, port: 4420 });
  }
});

test("unpublishVolume() without a node takes the volume from all of them", async () => {
  const { unpublish, volume } = rig(["n1", "n2"]);
  await unpublish();
  assert.equal(volume()?.tag.attachment, undefined);
  assert.equal(volume()?.exported.enabled, false);
});

test("unpublishVolume() changes nothing for a node that has not got the volume", async () => {
  const { unpublish, volume, store } = rig(["n1"]);
  for (const node of ["n2", "gone-for-long", "no name"]) await unpublish(node);
  assert.deepEqual(volume()?.tag.attachment?.nodes, ["n1"]);
  assert.equal(volume()?.exported.enabled, true);
  const attachment = { nodes: ["n1"], mode: "single-node-writer", since: 1 } as const;
  putVolume(store, id, { tag: { epoch, attachment }, exported: { enabled: true, nqn } });
  const { length } = store.calls.filter((call) => call === "change");
  await unpublish("n2");
  assert.equal(store.calls.filter((call) => call === "change").length, length);
});

test("unpublishVolume() succeeds again, and for a volume that is not there", async () => {
  const { options, unpublish, volume, ctx } = rig(["n1"]);
  await unpublish("n1");
  const { departure } = volume()?.tag ?? {};
  await unpublish("n1");
  await unpublish();
  await unpublishVolume(options, { id: "pvc-b", node: "n1" }, ctx);
  assert.deepEqual([volume()?.exported.enabled, volume()?.tag.departure], [false, departure]);
});

test("unpublishVolume() lets a publishing that was given up on come too late", async () => {
  const { unpublish, volume, store } = rig([]);
  const before = volume();
  assert.ok(before);
  await unpublish("n1");
  const arrival = { node: "n1", mode: "single-node-writer", now: 0 } as const;
  const tag = beginEpoch(before.tag, arrival, "bbbbbbbb");
  const exported = {
    enabled: true,
    nqn: nqnFor(before.slot, tag.epoch ?? epoch),
    port: 4420,
  } as const;
  await store.change(before, { tag, exported });
  assert.deepEqual([volume()?.exported.enabled, volume()?.tag.attachment], [false, undefined]);
});

test("unpublishVolume() lets one more node's publishing that was given up on come too late", async () => {
  const { unpublish, volume, store } = rig(["n1"]);
  const before = volume();
  assert.ok(before);
  await unpublish("n2");
  const arrival = { node: "n2", mode: "multi-node-multi-writer", now: 0 } as const;
  await store.change(before, { tag: join(before.tag, arrival) });
  assert.deepEqual(volume()?.tag.attachment?.nodes, ["n1"]);
  await unpublish("n1");
  assert.equal(volume()?.exported.enabled, false);
});

test("unpublishVolume() cuts off what was exported while it recorded that nobody has the volume", async () => {
  const { unpublish, volume, store, slot } = rig([]);
  store.overtakeNext("change", async () => {
    store.putEntry(slot, volume()?.comment ?? "", { enabled: true, nqn });
  });
  await unpublish("n1");
  assert.equal(volume()?.exported.enabled, false);
  assert.equal(volume()?.tag.departure?.node, "*");
});

test("unpublishVolume() and publish() count the rest from when the export is off, however long that took", async () => {
  const acts = ["unpublish", "publish"] as const;
  for (const [act, tookMs] of acts.flatMap((one) =>
    [200, 700, 1_000, 8_000].map((ms) => [one, ms] as const),
  )) {
    const clock = new ManualClock(1_700_000_000_500);
    const store = new SlowToCut(clock, tookMs);
    const { options, unpublish, ctx, slot } = rig(act === "publish" ? [] : ["n1"], store, clock);
    if (act === "publish") putVolume(store, slot, { exported: { enabled: true, nqn } });
    else await unpublish("n1");
    await new Publisher(options).publish({ id, node: "n2", mode: "single-node-writer" }, ctx);
    assert.ok(clock.elapsed() - store.cutAt >= 5_000, `${act} after ${tookMs} ms`);
  }
});

/** Calls wait for a console that is busy. */
class SlowToCut extends MemoryVolumeStore {
  cutAt = Number.NaN;
  readonly #clock: ManualClock;
  readonly #tookMs: number;

  constructor(clock: ManualClock, tookMs: number) {
    super({ clock });
    this.#clock = clock;
    this.#tookMs = tookMs;
  }

  override async change(volume: Volume, change: VolumeChange) {
    const isCut = change.exported?.enabled === false;
    if (isCut) this.#clock.advance(this.#tookMs);
    const changed = await super.change(volume, change);
    if (isCut) this.cutAt = this.#clock.elapsed();
    return changed;
  }
}

test("unpublishVolume() turns off an export that nobody is recorded for (pitfall 43)", async () => {
  const { unpublish, store, volume } = rig([]);
  putVolume(store, id, { exported: { enabled: true, nqn } });
  await unpublish("n1");
  assert.equal(volume()?.exported.enabled, false);
});

test("unpublishVolume() has nothing to do for what cannot be an id", async () => {
  const { options, store, ctx } = rig([]);
  await unpublishVolume(options, { id: "not/an/id", node: "n1" }, ctx);
  assert.deepEqual(store.calls, []);
});

test("unpublishVolume() does not call a volume detached that is on an appliance it does not know", async () => {
  const { options, ctx } = rig([]);
  await assert.rejects(unpublishVolume(options, { id: "lab-9/pvc-a", node: "n1" }, ctx), {
    kind: "failed-precondition",
  });
});

test("unpublishVolume() fails when the volume is still exported (pitfall 5)", async () => {
  class Stubborn extends MemoryVolumeStore {
    override change(volume: Volume, { tag }: VolumeChange) {
      return super.change(volume, { tag });
    }
  }
  const store = new Stubborn();
  const { ctx, options } = rig(["n1"], store);
  await assert.rejects(unpublishVolume(options, { id, node: "n1" }, ctx), {
    kind: "unavailable",
    message: `Cannot unpublish volume "pvc-a": appliance "rds" still exports it as "${nqn}"`,
  });
});

test("unpublishVolume() turns the export off in the next try when the first had no effect", async () => {
  const { unpublish, volume, store } = rig(["n1"]);
  const error = new DriverError("unavailable", "Cannot reach appliance");
  store.failNext({ method: "change", when: "before", error });
  await assert.rejects(unpublish("n1"), { kind: "unavailable" });
  assert.equal(volume()?.exported.enabled, true);
  await unpublish("n1");
  assert.equal(volume()?.exported.enabled, false);
});

test("unpublishVolume() decides again when somebody else was faster, and forgets no newcomer", async () => {
  const { unpublish, volume, store, slot } = rig(["n1"]);
  const attachment = { nodes: ["n1", "n2"], mode: "multi-node-multi-writer", since: 1 } as const;
  store.overtakeNext("change", async () => {
    putVolume(store, slot, {
      tag: { revision: 2, epoch, attachment },
      exported: { enabled: true, nqn },
    });
  });
  await unpublish("n1");
  assert.deepEqual(volume()?.tag.attachment?.nodes, ["n2"]);
  assert.equal(volume()?.exported.enabled, true);
});

test("unpublishVolume() leaves volumes of the same name on other appliances alone", async () => {
  const second = memoryAppliance({ name: "lab-2", idPrefix: "lab-2" });
  const first = memoryAppliance();
  const { options, ctx } = controllerRig({ appliances: [first, second] });
  const attachment = { nodes: ["n1"], mode: "single-node-writer", since: 1 } as const;
  const state = { tag: { epoch, attachment }, exported: { enabled: true, nqn } };
  const slot = putVolume(first.volumes, id, state);
  putVolume(second.volumes, id, state);
  await unpublishVolume(options, { id: `lab-2/${id}`, node: "n1" }, ctx);
  assert.equal(first.volumes.peek(slot)?.exported.enabled, true);
  assert.equal(second.volumes.peek(slot)?.exported.enabled, false);
});
