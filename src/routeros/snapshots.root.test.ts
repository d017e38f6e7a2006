import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { isFailure } from "#domain/errors.ts";
import type { Origin } from "#domain/origin.ts";
import { snapshotKeyForName } from "#domain/snapshot-id.ts";
import type { Volume } from "#domain/volume.ts";
import type { Slot } from "#domain/volume-id.ts";
import { MiB } from "#lib/bytes.ts";
import { btrfsMount } from "#sim/appliance/testing/btrfs-mount.ts";
import { testContext } from "#test/fakes/context.ts";
import { newVolume } from "#test/rig/new-volume.ts";
import { rootTest } from "#test/rig/root.ts";
import { SimulatedAppliance } from "#test/rig/simulated-appliance.ts";
import { temporaryFolder } from "#test/rig/temporary-folder.ts";

const ctx = testContext();
const sizeBytes = 32 * MiB;
const key = snapshotKeyForName("before");
const onBtrfs = { tools: ["mkfs.btrfs", "btrfs"], filesystems: ["btrfs"] };

/** An appliance whose pool is a real Btrfs, with a volume of 32 MiB random bytes, `pvc-a`. */
async function rig() {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(temporaryFolder());
  const pool = await btrfsMount(folder.path, 512 * MiB);
  assert.ok(pool, "mkfs.btrfs and loop devices are there");
  stack.use(pool);
  const appliance = stack.use(
    await SimulatedAppliance.start({
      backEnd: "files",
      stateDirectory: join(folder.path, "state"),
      dataDirectory: pool.path,
      pools: [{ mountPoint: "storage-pool", size: 2 ** 40 }],
    }),
  );
  const { volumes, snapshots } = await appliance.warmDriver();
  const volume = await volumes.create(newVolume("pvc-a", { sizeBytes }), ctx);
  const image = (slot: string) => join(pool.path, "storage-pool/csi/c1", slot, "disk.img");
  fill(image("pvc-a"));
  const owned = stack.move();
  return {
    pool: pool.path,
    volumes,
    snapshots,
    volume,
    image,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function fill(image: string): void {
  const file = openSync(image, "r+");
  writeSync(file, randomBytes(sizeBytes));
  fsyncSync(file);
  closeSync(file);
}

/** Of the first 32 MiB, which is all that was written. */
function digest(image: string): string {
  const data = Buffer.alloc(sizeBytes);
  const file = openSync(image, "r");
  readSync(file, data, 0, sizeBytes, 0);
  closeSync(file);
  return createHash("sha256").update(data).digest("hex");
}

const cloneOf = ({ slot, sizeBytes: bytes }: Volume): Origin => ({
  type: "volume",
  slot,
  sizeBytes: bytes,
});

rootTest(
  "a snapshot on a real Btrfs holds what was written before it, and so do its copies (pitfall 6)",
  onBtrfs,
  async () => {
    await using world = await rig();
    const { volumes, snapshots, volume, image } = world;
    const written = digest(image("pvc-a"));
    const { leaf } = await snapshots.take(volume, key, ctx);
    fill(image("pvc-a"));
    const damaged = digest(image("pvc-a"));
    const origin = { type: "snapshot", leaf } as const;
    await volumes.create(newVolume("pvc-b", { origin, sizeBytes }), ctx);
    await volumes.create(newVolume("pvc-c", { origin, sizeBytes: 2 * sizeBytes }), ctx);
    assert.deepEqual([digest(image("pvc-b")), digest(image("pvc-c"))], [written, written]);
    assert.equal(statSync(image("pvc-c")).size, 2 * sizeBytes);
    assert.ok(
      readFileSync(image("pvc-c"))
        .subarray(sizeBytes)
        .every((byte) => byte === 0),
    );

    fill(image("pvc-b"));
    await volumes.delete(volume.slot, volume, ctx);
    await volumes.create(newVolume("pvc-d", { origin, sizeBytes }), ctx);
    await snapshots.remove(leaf, ctx);
    assert.deepEqual([digest(image("pvc-c")), digest(image("pvc-d"))], [written, written]);
    assert.notEqual(digest(image("pvc-b")), written);
    assert.notEqual(damaged, written);
  },
);

rootTest("a clone of a clone on a real Btrfs, each written to since", onBtrfs, async () => {
  await using world = await rig();
  const { volumes, volume, image } = world;
  const first = digest(image("pvc-a"));
  const clone = await volumes.create(
    newVolume("pvc-b", { origin: cloneOf(volume), sizeBytes }),
    ctx,
  );
  assert.equal(digest(image("pvc-b")), first);
  fill(image("pvc-b"));
  const second = digest(image("pvc-b"));
  await volumes.create(newVolume("pvc-c", { origin: cloneOf(clone), sizeBytes }), ctx);
  await volumes.delete(clone.slot, clone, ctx);
  assert.deepEqual([digest(image("pvc-a")), digest(image("pvc-c"))], [first, second]);
});

rootTest(
  "on a full Btrfs a snapshot or copy is there in whole, or there is none and an error says why",
  onBtrfs,
  async () => {
    await using world = await rig();
    const { pool, volumes, snapshots, volume, image } = world;
    const written = digest(image("pvc-a"));
    const filler = join(pool, "filler");
    execFileSync("bash", [
      "-c",
      `dd if=/dev/zero of=${filler} bs=1M 2>/dev/null; sync -f ${pool}; for i in $(seq 500); do head -c 2000 /dev/zero >${filler}.$i || break; done 2>/dev/null; sync -f ${pool}`,
    ]);
    const outcomes = [
      () => snapshots.take(volume, key, ctx),
      () => volumes.create(newVolume("pvc-b", { origin: cloneOf(volume), sizeBytes }), ctx),
    ].map(async (act) => {
      try {
        await act();
        return true;
      } catch (error) {
        assert.ok(isFailure(error, "resource-exhausted", "internal"), String(error));
        return false;
      }
    });
    const [taken, copied] = await Promise.all(outcomes);
    assert.equal((await snapshots.list(ctx)).length, taken ? 1 : 0);
    assert.equal((await volumes.find("pvc-b" as Slot, ctx)) !== undefined, copied);
    assert.equal(digest(image("pvc-a")), written);
    for (const name of [
      filler,
      ...Array.from({ length: 500 }, (_, index) => `${filler}.${index + 1}`),
    ])
      rmSync(name, { force: true });
    execFileSync("sync", ["-f", pool]);
    const { leaf } = await snapshots.take(volume, key, ctx);
    const restored = newVolume("pvc-c", { origin: { type: "snapshot", leaf }, sizeBytes });
    await volumes.create(restored, ctx);
    assert.equal(digest(image("pvc-c")), written);
  },
);
