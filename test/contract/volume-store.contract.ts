import assert from "node:assert/strict";
import test from "node:test";
import type { Nqn } from "#domain/nqn.ts";
import type { NewVolume, VolumeStore } from "#domain/ports/volume-store.ts";
import type { Volume } from "#domain/volume.ts";
import type { Slot } from "#domain/volume-id.ts";
import { formatVolumeTag, type VolumeTag } from "#domain/volume-tag.ts";
import { GiB, MiB } from "#lib/bytes.ts";
import { testContext } from "#test/fakes/context.ts";
import { newVolume } from "#test/rig/new-volume.ts";
import type { VolumeStoreHarness } from "./volume-store-harness.ts";

const ctx = testContext();
const slot = "pvc-a" as Slot;
const nqn = (name: string) => `nqn.2000-02.com.mikrotik:pvc-a.${name}` as Nqn;

/** What every VolumeStore promises; see the port. */
export function volumeStoreContract(name: string, start: () => Promise<VolumeStoreHarness>): void {
  const contract = (title: string, check: (harness: VolumeStoreHarness) => Promise<void>) =>
    test(`${name}: ${title}`, async () => {
      await using harness = await start();
      await check(harness);
    });
  findAndCreate(contract);
  foreignEntries(contract);
  change(contract);
  grow(contract);
  remove(contract);
  survey(contract);
}

type Contract = (title: string, check: (harness: VolumeStoreHarness) => Promise<void>) => unknown;

function spec(cluster: string, overrides: Parameters<typeof newVolume>[1] = {}): NewVolume {
  return newVolume(slot, { cluster, pvc: "default/data", ...overrides });
}

function attachedTo(volume: Volume, node: string): VolumeTag {
  const { tag } = volume;
  const attachment = { nodes: [node], mode: "single-node-writer", since: 1_700_000_000 } as const;
  return { ...tag, revision: tag.revision + 1, attachment };
}

function exportAs(name: string) {
  return { enabled: true, nqn: nqn(name), port: 4420 } as const;
}

async function changed(store: VolumeStore, volume: Volume, by: object): Promise<Volume> {
  const tag = { ...volume.tag, revision: volume.tag.revision + 1 };
  const result = await store.change(volume, { tag, ...by }, ctx);
  assert.ok(result, "somebody else was faster");
  return result;
}

function findAndCreate(contract: Contract): void {
  contract("find() gives undefined for a slot that nobody bears", async ({ store }) => {
    assert.equal(await store.find(slot, ctx), undefined);
  });

  contract("create() makes a volume, unexported, that find() finds", async ({ store, cluster }) => {
    const made = await store.create(spec(cluster), ctx);
    assert.equal(made.slot, slot);
    assert.ok(made.sizeBytes >= GiB);
    assert.equal(made.exported.enabled, false);
    assert.equal(made.comment, formatVolumeTag(spec(cluster).tag));
    assert.deepEqual(made.tag, spec(cluster).tag);
    assert.deepEqual(await store.find(slot, ctx), made);
  });

  contract("create() returns what is there, as it is", async ({ store, rival, cluster }) => {
    const made = await store.create(spec(cluster), ctx);
    const other = spec(cluster, {
      sizeBytes: 2 * GiB,
      pvc: "other/claim",
    });
    assert.deepEqual(await rival.create(other, ctx), made);
  });

  contract("create() by two at once makes one volume", async ({ store, rival, cluster }) => {
    const volumes = await Promise.all(
      [store, rival].map((each) => each.create(spec(cluster), ctx)),
    );
    assert.deepEqual(volumes[0], volumes[1]);
    assert.equal((await store.survey(ctx)).volumes.length, 1);
  });

  contract("create() refuses an image without entry, and leaves it", async (harness) => {
    await harness.putImage(slot);
    await assert.rejects(harness.store.create(spec(harness.cluster), ctx), {
      kind: "failed-precondition",
    });
    assert.equal(await harness.hasImage(slot), true);
    assert.equal(await harness.commentOf(slot), undefined);
  });

  contract("create() on a full pool leaves nothing behind", async (harness) => {
    await harness.leaveFree(512 * MiB);
    const { store, cluster } = harness;
    await assert.rejects(store.create(spec(cluster), ctx), { kind: "resource-exhausted" });
    assert.equal(await harness.hasImage(slot), false);
    assert.equal(await store.find(slot, ctx), undefined);
    const smaller = await store.create(spec(cluster, { sizeBytes: 256 * MiB }), ctx);
    assert.ok(smaller.sizeBytes >= 256 * MiB);
  });
}

function foreignEntries(contract: Contract): void {
  const comments = {
    "without a tag": "made by hand",
    "of another cluster": "rds-csi=1 cluster=elsewhere rev=0",
    "with an unreadable attachment": "rds-csi=1 cluster=CLUSTER rev=0 nodes=a mode=?",
  };
  for (const [kind, text] of Object.entries(comments))
    contract(`an entry ${kind} is never touched`, async (harness) => {
      const comment = text.replace("CLUSTER", harness.cluster);
      await harness.putEntry(slot, comment);
      const { store, cluster } = harness;
      const refused = { kind: "failed-precondition" };
      await assert.rejects(store.find(slot, ctx), refused);
      await assert.rejects(store.create(spec(cluster), ctx), refused);
      await assert.rejects(store.delete(slot, undefined, ctx), refused);
      assert.deepEqual((await store.survey(ctx)).volumes, []);
      assert.equal(await harness.commentOf(slot), comment);
    });
}

function change(contract: Contract): void {
  contract("change() sets tag and export together", async ({ store, cluster }) => {
    const volume = await store.create(spec(cluster), ctx);
    const tag = attachedTo(volume, "node-1");
    const result = await store.change(volume, { tag, exported: exportAs("1-aaaaaaaa") }, ctx);
    assert.deepEqual(result?.tag, tag);
    assert.deepEqual(result?.exported, exportAs("1-aaaaaaaa"));
    assert.deepEqual(await store.find(slot, ctx), result);
  });

  contract(
    "change() leaves an export alone that it is not told about",
    async ({ store, cluster }) => {
      const volume = await store.create(spec(cluster), ctx);
      const attached = await changed(store, volume, { exported: exportAs("1-aaaaaaaa") });
      const later = await changed(store, attached, {});
      assert.deepEqual(later.exported, exportAs("1-aaaaaaaa"));
    },
  );

  contract("change() may name the export that is there already", async ({ store, cluster }) => {
    const volume = await store.create(spec(cluster), ctx);
    const attached = await changed(store, volume, { exported: exportAs("1-aaaaaaaa") });
    const again = await changed(store, attached, { exported: exportAs("1-aaaaaaaa") });
    assert.deepEqual(again.exported, exportAs("1-aaaaaaaa"));
  });

  contract("change() gives undefined to who comes second", async ({ store, rival, cluster }) => {
    const read = await store.create(spec(cluster), ctx);
    const first = await changed(rival, read, { exported: exportAs("1-aaaaaaaa") });
    const second = { tag: attachedTo(read, "node-2"), exported: exportAs("1-bbbbbbbb") };
    assert.equal(await store.change(read, second, ctx), undefined);
    assert.deepEqual(await store.find(slot, ctx), first);
  });

  contract("change() of a volume that is gone gives undefined", async ({ store, cluster }) => {
    const volume = await store.create(spec(cluster), ctx);
    await store.delete(slot, volume, ctx);
    assert.equal(await store.change(volume, { tag: attachedTo(volume, "n") }, ctx), undefined);
    assert.equal(await store.find(slot, ctx), undefined);
  });

  contract("change() by two at once lets one win", async ({ store, rival, cluster }) => {
    const volume = await store.create(spec(cluster), ctx);
    const results = await Promise.all(
      [store, rival].map((each, index) =>
        each.change(volume, { tag: attachedTo(volume, `node-${index}`) }, ctx),
      ),
    );
    const winners = results.filter((result) => result !== undefined);
    assert.equal(winners.length, 1);
    assert.deepEqual(await store.find(slot, ctx), winners[0]);
  });

  contract("change() gives a live export no new NQN", async ({ store, cluster }) => {
    const volume = await store.create(spec(cluster), ctx);
    const attached = await changed(store, volume, { exported: exportAs("1-aaaaaaaa") });
    const renamed = { tag: attachedTo(attached, "node-2"), exported: exportAs("2-bbbbbbbb") };
    await assert.rejects(store.change(attached, renamed, ctx), { kind: "failed-precondition" });
    assert.deepEqual(await store.find(slot, ctx), attached);
  });

  contract(
    "change() turns an export off, and on again by a new NQN",
    async ({ store, cluster }) => {
      const volume = await store.create(spec(cluster), ctx);
      const attached = await changed(store, volume, { exported: exportAs("1-aaaaaaaa") });
      const detached = await changed(store, attached, { exported: { enabled: false } });
      assert.equal(detached.exported.enabled, false);
      const again = await changed(store, detached, { exported: exportAs("2-bbbbbbbb") });
      assert.deepEqual(again.exported, exportAs("2-bbbbbbbb"));
    },
  );
}

function grow(contract: Contract): void {
  contract("grow() makes a volume larger, and changes nothing else", async ({ store, cluster }) => {
    const made = await store.create(spec(cluster), ctx);
    const volume = await changed(store, made, { exported: exportAs("1-aaaaaaaa") });
    const grown = await store.grow(volume, 2 * GiB, ctx);
    assert.ok(grown.sizeBytes >= 2 * GiB);
    assert.deepEqual({ ...grown, sizeBytes: GiB }, volume);
    assert.deepEqual(await store.find(slot, ctx), grown);
  });

  contract(
    "grow() never shrinks, not even by an old reading",
    async ({ store, rival, cluster }) => {
      const read = await store.create(spec(cluster), ctx);
      const grown = await rival.grow(read, 3 * GiB, ctx);
      assert.deepEqual(await store.grow(read, 2 * GiB, ctx), grown);
      assert.deepEqual(await store.grow(grown, 1 * GiB, ctx), grown);
    },
  );

  contract("grow() fails for a volume that is gone", async ({ store, cluster }) => {
    const volume = await store.create(spec(cluster), ctx);
    await store.delete(slot, volume, ctx);
    await assert.rejects(store.grow(volume, 2 * GiB, ctx), { kind: "not-found" });
  });

  contract(
    "grow() on a full pool leaves the volume as it is",
    async ({ store, cluster, ...harness }) => {
      const volume = await store.create(spec(cluster), ctx);
      await harness.leaveFree(512 * MiB);
      await assert.rejects(store.grow(volume, 2 * GiB, ctx), { kind: "resource-exhausted" });
      assert.deepEqual(await store.find(slot, ctx), volume);
    },
  );
}

function remove(contract: Contract): void {
  contract("delete() removes entry and image, also of an export", async ({ store, ...harness }) => {
    const made = await store.create(spec(harness.cluster), ctx);
    const volume = await changed(store, made, { exported: exportAs("1-aaaaaaaa") });
    await store.delete(slot, volume, ctx);
    assert.equal(await store.find(slot, ctx), undefined);
    assert.equal(await harness.hasImage(slot), false);
  });

  contract("delete() of what is not there succeeds", async ({ store, cluster }) => {
    await store.delete(slot, undefined, ctx);
    const volume = await store.create(spec(cluster), ctx);
    await store.delete(slot, volume, ctx);
    await store.delete(slot, volume, ctx);
  });

  contract("delete() removes the image that an interrupted delete left", async (harness) => {
    await harness.putImage(slot);
    await harness.store.delete(slot, undefined, ctx);
    assert.equal(await harness.hasImage(slot), false);
  });

  contract("delete() spares a volume that has changed since it was read", async (harness) => {
    const { store, rival, cluster } = harness;
    const read = await store.create(spec(cluster), ctx);
    const attached = await changed(rival, read, { exported: exportAs("1-aaaaaaaa") });
    await assert.rejects(store.delete(slot, read, ctx), { kind: "operation-pending" });
    assert.deepEqual(await store.find(slot, ctx), attached);
    assert.equal(await harness.hasImage(slot), true);
  });

  contract("delete() of leftovers spares a volume that is there", async ({ store, ...harness }) => {
    const volume = await store.create(spec(harness.cluster), ctx);
    await assert.rejects(store.delete(slot, undefined, ctx), { kind: "operation-pending" });
    assert.deepEqual(await store.find(slot, ctx), volume);
    assert.equal(await harness.hasImage(slot), true);
  });
}

function survey(contract: Contract): void {
  contract("survey() lists this cluster's volumes and counts everybody's", async (harness) => {
    const { store, cluster } = harness;
    const before = await store.survey(ctx);
    const slots = ["pvc-a", "pvc-b"] as Slot[];
    const volumes = [];
    for (const each of slots)
      volumes.push(await store.create({ ...spec(cluster), slot: each }, ctx));
    await harness.putEntry("hand-made" as Slot, "made by hand");
    await harness.putEntry("pvc-c" as Slot, "rds-csi=1 cluster=elsewhere rev=0");
    const after = await store.survey(ctx);
    const bySlot = (a: Volume, b: Volume) => a.slot.localeCompare(b.slot);
    assert.deepEqual([...after.volumes].sort(bySlot), volumes);
    assert.equal(after.provisionedBytes - before.provisionedBytes, 2 * GiB + 2 * MiB);
    assert.equal(after.pool.sizeBytes, before.pool.sizeBytes);
    assert.ok(after.pool.freeBytes <= before.pool.freeBytes - 2 * GiB);
  });
}
