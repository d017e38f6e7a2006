import assert from "node:assert/strict";
import test from "node:test";
import type { SnapshotStore } from "#domain/ports/snapshot-store.ts";
import type { VolumeStore } from "#domain/ports/volume-store.ts";
import { snapshotKeyForName } from "#domain/snapshot-id.ts";
import type { Volume } from "#domain/volume.ts";
import type { Slot } from "#domain/volume-id.ts";
import { GiB } from "#lib/bytes.ts";
import { testContext } from "#test/fakes/context.ts";
import { newVolume } from "#test/rig/new-volume.ts";

const ctx = testContext();
const key = snapshotKeyForName("before");
const otherKey = snapshotKeyForName("after");

/** Both stores of one appliance. */
export interface SnapshotStoreHarness extends AsyncDisposable {
  readonly snapshots: SnapshotStore;
  readonly volumes: VolumeStore;
  /** The same appliance as another controller sees it. */
  readonly rival: SnapshotStore;
  /** A copy of the origin at the volume's place without an entry, as an interrupted try leaves it. */
  leaveCopy(slot: Slot, origin: Slot): Promise<void>;
  /** Lets the time pass in which somebody may still be at a copy. */
  rest?(): void;
  /** Somebody makes the snapshot of that name writable. */
  spoil(leaf: string): Promise<void>;
}

type Contract = (
  title: string,
  check: (harness: SnapshotStoreHarness, volume: Volume) => Promise<void>,
) => unknown;

/** What every SnapshotStore promises, and a VolumeStore of volumes that are made from others; see the ports. */
export function snapshotStoreContract(
  name: string,
  start: () => Promise<SnapshotStoreHarness>,
): void {
  const contract: Contract = (title, check) =>
    test(`${name}: ${title}`, async () => {
      await using harness = await start();
      const volume = await harness.volumes.create(newVolume("pvc-a"), ctx);
      await check(harness, volume);
    });
  taking(contract);
  removing(contract);
  restoring(contract);
  cloning(contract);
}

function taking(contract: Contract): void {
  contract(
    "take() makes one snapshot that list() and find() show",
    async ({ snapshots }, volume) => {
      const taken = await snapshots.take(volume, key, ctx);
      assert.deepEqual(taken.leaf, { key, source: "pvc-a", sizeBytes: GiB });
      assert.equal(taken.intact, true);
      assert.deepEqual(await snapshots.list(ctx), [taken]);
      assert.deepEqual(await snapshots.find(key, ctx), taken);
      assert.equal(await snapshots.find(otherKey, ctx), undefined);
    },
  );

  contract(
    "take() again gives the first, also when the volume has grown since",
    async (harness, volume) => {
      const { snapshots, volumes } = harness;
      const first = await snapshots.take(volume, key, ctx);
      const grown = await volumes.grow(volume, 2 * GiB, ctx);
      assert.deepEqual(await snapshots.take(grown, key, ctx), first);
      assert.equal((await snapshots.take(grown, otherKey, ctx)).leaf.sizeBytes, 2 * GiB);
    },
  );

  contract(
    "take() gives the snapshot of another volume that bears the key",
    async (harness, volume) => {
      const { snapshots, volumes } = harness;
      const first = await snapshots.take(volume, key, ctx);
      const other = await volumes.create(newVolume("pvc-b"), ctx);
      assert.deepEqual(await snapshots.take(other, key, ctx), first);
    },
  );

  contract("take() by two at once makes one snapshot", async (harness, volume) => {
    const { snapshots, rival } = harness;
    const taken = await Promise.all([snapshots, rival].map((one) => one.take(volume, key, ctx)));
    assert.deepEqual(taken[0], taken[1]);
    assert.equal((await snapshots.list(ctx)).length, 1);
  });

  contract(
    "take() refuses a volume that has grown, or gone, since it was read",
    async (harness, volume) => {
      const { snapshots, volumes } = harness;
      const grown = await volumes.grow(volume, 2 * GiB, ctx);
      await assert.rejects(snapshots.take(volume, key, ctx), { kind: "operation-pending" });
      await volumes.delete(grown.slot, grown, ctx);
      await assert.rejects(snapshots.take(grown, key, ctx), { kind: "operation-pending" });
      assert.deepEqual(await snapshots.list(ctx), []);
    },
  );
}

function removing(contract: Contract): void {
  contract("remove() removes that snapshot only, and succeeds again", async (harness, volume) => {
    const { snapshots } = harness;
    const { leaf } = await snapshots.take(volume, key, ctx);
    const other = await snapshots.take(volume, otherKey, ctx);
    await snapshots.remove(leaf, ctx);
    assert.deepEqual(await snapshots.list(ctx), [other]);
    await snapshots.remove(leaf, ctx);
  });

  contract("a snapshot outlives its volume, with source and size", async (harness, volume) => {
    const { snapshots, volumes } = harness;
    const taken = await snapshots.take(volume, key, ctx);
    await volumes.delete(volume.slot, volume, ctx);
    assert.deepEqual(await snapshots.list(ctx), [taken]);
  });

  contract(
    "a snapshot that somebody made writable is neither removed nor restored",
    async (harness, volume) => {
      const { snapshots, volumes, spoil } = harness;
      const { leaf } = await snapshots.take(volume, key, ctx);
      await spoil(`${leaf.key}.pvc-a.1024`);
      assert.equal((await snapshots.find(key, ctx))?.intact, false);
      await assert.rejects(snapshots.remove(leaf, ctx), { kind: "failed-precondition" });
      const spec = newVolume("pvc-b", { origin: { type: "snapshot", leaf } });
      await assert.rejects(volumes.create(spec, ctx), { kind: "not-found" });
    },
  );
}

function restoring(contract: Contract): void {
  contract(
    "create() from a snapshot works after the source is gone, larger too",
    async (harness, volume) => {
      const { snapshots, volumes } = harness;
      const { leaf } = await snapshots.take(volume, key, ctx);
      await volumes.delete(volume.slot, volume, ctx);
      const origin = { type: "snapshot", leaf } as const;
      const restored = await volumes.create(newVolume("pvc-b", { origin }), ctx);
      assert.equal(restored.sizeBytes, GiB);
      assert.equal(restored.exported.enabled, false);
      const spec = newVolume("pvc-c", { origin, sizeBytes: 3 * GiB, source: leaf.key });
      const larger = await volumes.create(spec, ctx);
      assert.equal(larger.sizeBytes, 3 * GiB);
      assert.equal(larger.tag.source, leaf.key);
      assert.deepEqual(await volumes.find(larger.slot, ctx), larger);
    },
  );

  contract("a volume made from a snapshot outlives it", async (harness, volume) => {
    const { snapshots, volumes } = harness;
    const { leaf } = await snapshots.take(volume, key, ctx);
    const spec = newVolume("pvc-b", { origin: { type: "snapshot", leaf } });
    const restored = await volumes.create(spec, ctx);
    await snapshots.remove(leaf, ctx);
    assert.deepEqual(await volumes.find(restored.slot, ctx), restored);
    await volumes.delete(restored.slot, restored, ctx);
  });

  contract("create() from a snapshot that is not there makes nothing", async (harness, volume) => {
    const { volumes } = harness;
    const leaf = { key, source: volume.slot, sizeBytes: GiB };
    const spec = newVolume("pvc-b", { origin: { type: "snapshot", leaf } });
    await assert.rejects(volumes.create(spec, ctx), { kind: "not-found" });
    await volumes.create(newVolume("pvc-b"), ctx);
  });
}

function cloning(contract: Contract): void {
  const cloneOf = ({ slot, sizeBytes }: Volume) => ({ type: "volume", slot, sizeBytes }) as const;

  contract("create() from a volume, and from its clone", async ({ volumes }, volume) => {
    const spec = newVolume("pvc-b", { origin: cloneOf(volume), source: "pvc-a" });
    const clone = await volumes.create(spec, ctx);
    const again = await volumes.create(newVolume("pvc-c", { origin: cloneOf(clone) }), ctx);
    await volumes.delete(clone.slot, clone, ctx);
    assert.deepEqual(await volumes.find(again.slot, ctx), again);
    assert.deepEqual(await volumes.find(volume.slot, ctx), volume);
  });

  contract("create() returns a copy that is there, as it is", async ({ volumes }, volume) => {
    const origin = cloneOf(volume);
    const clone = await volumes.create(newVolume("pvc-b", { origin }), ctx);
    assert.deepEqual(await volumes.create(newVolume("pvc-b", { origin }), ctx), clone);
  });

  contract("create() takes the place of its own copy that was begun", async (harness, volume) => {
    const { volumes, leaveCopy, rest } = harness;
    await leaveCopy("pvc-b" as Slot, volume.slot);
    const copy = () => volumes.create(newVolume("pvc-b", { origin: cloneOf(volume) }), ctx);
    if (rest !== undefined) await assert.rejects(copy(), { kind: "unavailable" });
    rest?.();
    const clone = await copy();
    assert.deepEqual(await volumes.find(clone.slot, ctx), clone);
  });

  contract("create() refuses the place of a copy of something else", async (harness, volume) => {
    const { volumes, leaveCopy } = harness;
    const other = await volumes.create(newVolume("pvc-other"), ctx);
    await leaveCopy("pvc-b" as Slot, other.slot);
    const clone = volumes.create(newVolume("pvc-b", { origin: cloneOf(volume) }), ctx);
    await assert.rejects(clone, { kind: "failed-precondition" });
    await assert.rejects(volumes.create(newVolume("pvc-b"), ctx), { kind: "failed-precondition" });
    await volumes.delete("pvc-b" as Slot, undefined, ctx);
    await volumes.create(newVolume("pvc-b"), ctx);
  });
}
