import { slotForName } from "#domain/volume-id.ts";
import { GiB, TiB } from "#lib/bytes.ts";
import type { SwitchValues } from "#sim/appliance/switch-table.ts";
import { SimulatedAppliance } from "#test/rig/simulated-appliance.ts";
import { controllerOn } from "./controller-calls.ts";
import { type Figure, percentile, timed } from "./table.ts";

async function started(switches: Partial<SwitchValues>): Promise<SimulatedAppliance> {
  return await SimulatedAppliance.start({
    switches,
    pools: [{ mountPoint: "storage-pool", size: 64 * TiB }],
  });
}

/** Commands that the appliance counted for one call of each kind, against the budget of the design. */
export async function roundTrips(): Promise<Figure[]> {
  await using appliance = await started({});
  const controller = await controllerOn(appliance);
  const { statistics } = appliance.simulator;
  const count = async (act: () => Promise<unknown>) => {
    statistics.reset();
    await act();
    return statistics.commands;
  };
  const id = slotForName("pvc-bench");
  let snapshotId = "";
  const restore = () => controller.create("pvc-restored", 2 * GiB, { snapshot: { snapshotId } });
  const clone = () => controller.create("pvc-clone", 2 * GiB, { volume: { volumeId: id } });
  const calls: [string, number, () => Promise<unknown>][] = [
    ["CreateVolume", 2, () => controller.create("pvc-bench")],
    ["CreateVolume, repeated", 2, () => controller.create("pvc-bench")],
    ["ControllerPublishVolume", 2, () => controller.publish(id)],
    ["ControllerPublishVolume, repeated", 2, () => controller.publish(id)],
    ["ControllerExpandVolume", 2, () => controller.expand(id)],
    ["ControllerUnpublishVolume", 2, () => controller.unpublish(id)],
    [
      "CreateSnapshot",
      2,
      async () => {
        snapshotId = await controller.snapshot(id, "bench");
      },
    ],
    ["CreateSnapshot, repeated", 2, () => controller.snapshot(id, "bench")],
    ["CreateVolume from a snapshot", 3, restore],
    ["CreateVolume from a volume", 3, clone],
    ["ListSnapshots", 1, () => controller.listSnapshots()],
    ["DeleteSnapshot", 2, () => controller.deleteSnapshot(snapshotId)],
    ["ListVolumes", 1, () => controller.list()],
    ["GetCapacity", 1, () => controller.capacity()],
    ["DeleteVolume", 3, () => controller.delete(id)],
  ];
  const figures: Figure[] = [];
  for (const [what, atMost, act] of calls)
    figures.push({ what, measured: await count(act), unit: "round trips", atMost });
  return figures;
}

/** With the real device's 0.2 s per command. */
export async function slowAppliance(): Promise<Figure[]> {
  await using appliance = await started({ latency: 200 });
  const controller = await controllerOn(appliance);
  const creates: number[] = [];
  const publishes: number[] = [];
  for (let round = 0; round < 10; round++) {
    const name = `pvc-slow-${round}`;
    creates.push(await timed(() => controller.create(name)));
    publishes.push(await timed(() => controller.publish(slotForName(name))));
  }
  const seconds = (values: readonly number[]) => percentile(values, 0.5) / 1000;
  return [
    {
      what: "CreateVolume p50, 200 ms per command",
      measured: seconds(creates),
      unit: "s",
      atMost: 0.6,
    },
    {
      what: "ControllerPublishVolume p50, 200 ms per command",
      measured: seconds(publishes),
      unit: "s",
      atMost: 0.5,
    },
  ];
}

/** With 1 ms per command: a hundred calls at once. */
export async function burst(): Promise<Figure[]> {
  await using appliance = await started({ latency: 1 });
  const controller = await controllerOn(appliance);
  const latencies: number[] = [];
  const create = async (index: number) =>
    latencies.push(await timed(() => controller.create(`pvc-burst-${index}`)));
  const total = await timed(() =>
    Promise.all(Array.from({ length: 100 }, (_, index) => create(index))),
  );
  return [
    {
      what: "100 CreateVolume calls at once, 1 ms per command, all done",
      measured: total,
      unit: "ms",
    },
    {
      what: "100 CreateVolume calls at once, p50 of one",
      measured: percentile(latencies, 0.5),
      unit: "ms",
    },
    {
      what: "100 CreateVolume calls at once, p99 of one",
      measured: percentile(latencies, 0.99),
      unit: "ms",
    },
    {
      what: "100 CreateVolume calls at once, commands in all",
      measured: appliance.simulator.statistics.commands,
      unit: "round trips",
    },
  ];
}

/** ListVolumes with ten thousand volumes, whole and in pages. */
export async function manyVolumes(): Promise<Figure[]> {
  await using appliance = await started({ "slot-limit": "64" });
  const controller = await controllerOn(appliance);
  await controller.create("pvc-first");
  const add =
    '/disk/add type=file slot=$s file-path=("/storage-pool/csi/c1/" . $s . "/disk.img") file-size=1048576 mount-filesystem=no comment="rds-csi=1 cluster=c1 rev=1"';
  await appliance.run(
    `:for i from=1 to=9999 do={ :local s ("pvc-many-" . $i); /disk/btrfs/subvolume/add fs="storage-pool-fs" name=("csi/c1/" . $s); ${add} }`,
  );
  let count = 0;
  const whole = await timed(async () => {
    count = (await controller.list()).entries.length;
  });
  if (count !== 10_000)
    throw new Error(`Cannot measure ListVolumes: ${count} volumes instead of 10000`);
  const page = await timed(() => controller.list(500));
  return [
    { what: "ListVolumes, 10,000 volumes", measured: whole, unit: "ms" },
    { what: "ListVolumes, first page of 500 of 10,000", measured: page, unit: "ms" },
    {
      what: "CreateVolume beside 10,000 volumes",
      measured: await timed(() => controller.create("pvc-late")),
      unit: "ms",
    },
    {
      what: "ControllerPublishVolume beside 10,000 volumes",
      measured: await timed(() => controller.publish(slotForName("pvc-late"))),
      unit: "ms",
    },
  ];
}
