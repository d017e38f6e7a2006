import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { snapshotKeyForName } from "#domain/snapshot-id.ts";
import { slotForName } from "#domain/volume-id.ts";
import { GiB, TiB } from "#lib/bytes.ts";
import { btrfsMount } from "#sim/appliance/testing/btrfs-mount.ts";
import { SimulatedAppliance } from "#test/rig/simulated-appliance.ts";
import { controllerOn } from "./controller-calls.ts";
import { type Figure, percentile, timed } from "./table.ts";

const rounds = 15;

/** CreateSnapshot, restore and clone of sparse volumes on a real Btrfs: the size must not matter. */
export async function snapshots(): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), "rds-csi-bench-"));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const pool = await btrfsMount(folder, 8 * GiB);
  if (pool === undefined) {
    process.stderr.write("snapshots: left out, for want of root, mkfs.btrfs or loop devices\n");
    return [];
  }
  stack.use(pool);
  const appliance = stack.use(
    await SimulatedAppliance.start({
      backEnd: "files",
      stateDirectory: join(folder, "state"),
      dataDirectory: pool.path,
      pools: [{ mountPoint: "storage-pool", size: 256 * TiB }],
    }),
  );
  const controller = await controllerOn(appliance);
  const [small, large] = [await measured(controller, GiB), await measured(controller, TiB)];
  return [
    ...(["CreateSnapshot", "restore", "clone"] as const).map((what) => ({
      what: `${what} of 1 TiB against 1 GiB, sparse, on real Btrfs`,
      measured: large[what] / small[what],
      unit: "×" as const,
      atMost: 1.2,
    })),
    { what: "CreateSnapshot of 1 TiB, p50", measured: large.CreateSnapshot, unit: "ms" },
    { what: "restore of 1 TiB, p50", measured: large.restore, unit: "ms" },
  ];
}

type Operation = "CreateSnapshot" | "restore" | "clone";

/** The median of each, milliseconds. */
async function measured(
  controller: Awaited<ReturnType<typeof controllerOn>>,
  bytes: number,
): Promise<Record<Operation, number>> {
  const name = `pvc-${bytes}`;
  await controller.create(name, bytes);
  const volumeId = slotForName(name);
  const times: Record<Operation, number[]> = { CreateSnapshot: [], restore: [], clone: [] };
  for (let round = 0; round < rounds; round += 1) {
    let snapshotId = "";
    const take = async () => {
      snapshotId = await controller.snapshot(volumeId, `${name}-${round}`);
    };
    times.CreateSnapshot.push(await timed(take));
    const copies = [
      ["restore", { snapshot: { snapshotId } }],
      ["clone", { volume: { volumeId } }],
    ] as const;
    for (const [what, source] of copies) {
      const copy = `${name}-${what}`;
      times[what].push(await timed(() => controller.create(copy, bytes, source)));
      await controller.delete(slotForName(copy));
    }
    await controller.deleteSnapshot(snapshotId);
  }
  return {
    CreateSnapshot: percentile(times.CreateSnapshot, 0.5),
    restore: percentile(times.restore, 0.5),
    clone: percentile(times.clone, 0.5),
  };
}

/** ListSnapshots with five thousand of them. */
export async function manySnapshots(): Promise<Figure[]> {
  await using appliance = await SimulatedAppliance.start();
  const controller = await controllerOn(appliance);
  await controller.create("pvc-first");
  const slot = slotForName("pvc-first");
  await controller.snapshot(slot, "first");
  for (let index = 1; index < 5_000; index += 1) {
    const name = `csi/c1/_snapshots.c1/${snapshotKeyForName(`${index}`)}.${slot}.1024`;
    await appliance.run(
      `/disk/btrfs/subvolume/add fs="storage-pool-fs" parent=${slot} read-only=yes name="${name}"`,
    );
  }
  let count = 0;
  const whole = await timed(async () => {
    count = (await controller.listSnapshots()).entries.length;
  });
  if (count !== 5_000)
    throw new Error(`Cannot measure ListSnapshots: ${count} snapshots instead of 5000`);
  return [{ what: "ListSnapshots, 5,000 snapshots", measured: whole, unit: "ms" }];
}
