import { resolve } from "node:path";
import { Worker } from "node:worker_threads";
import type { BlockDevice } from "#domain/block-device.ts";
import { MiB } from "#lib/bytes.ts";
import { holdName } from "#linux/device-mapper/hold-name.ts";
import { sh, World } from "../../test/machine/rig/world.ts";
import { percentile, timed } from "../table.ts";
import type { Lap, Round } from "./io-worker.ts";
import { tellFigure } from "./tell-figure.ts";

/*
 * A program of the machine: direct I/O through a hold against the very namespace under it. Short rounds on the one and
 * the other take turns, so that whatever else happens on this machine meets both.
 */
interface Workload {
  readonly what: string;
  readonly write: boolean;
  readonly bytes: number;
  /** Operations in flight. */
  readonly lanes: number;
  /** In one round, by each lane. */
  readonly operations: number;
}

const workloads: readonly Workload[] = [
  { what: "4 KiB reads, 1 in flight", write: false, bytes: 4096, lanes: 1, operations: 30 },
  { what: "4 KiB writes, 4 in flight", write: true, bytes: 4096, lanes: 4, operations: 25 },
  { what: "256 KiB writes, 4 in flight", write: true, bytes: 262_144, lanes: 4, operations: 6 },
];
const turns = 150;
const sizeMiB = 128;

interface Lane {
  readonly run: (round: Round) => Promise<Lap>;
  readonly end: () => Promise<unknown>;
}

function lane(): Lane {
  const worker = new Worker(resolve(import.meta.dirname, "io-worker.mjs"), {
    workerData: { pages: 4 },
  });
  const run = (round: Round) =>
    new Promise<Lap>((done, failed) => {
      const settle = (lap: Lap) => {
        worker.off("error", failed);
        done(lap);
      };
      worker.once("message", settle).once("error", failed);
      worker.postMessage(round);
    });
  // Its files are closed with it.
  return { run, end: () => worker.terminate() };
}

/** The same places on both disks. */
function offsets({ bytes, lanes, operations }: Workload): number[][] {
  const blocks = (sizeMiB * MiB) / bytes;
  return Array.from({ length: lanes }, () =>
    Array.from({ length: operations }, () => Math.floor(Math.random() * blocks) * bytes),
  );
}

interface Result {
  /** Bytes per ms. */
  readonly throughput: number;
  readonly latencies: readonly number[];
}

async function round(workload: Workload, path: string, places: number[][], lanes: readonly Lane[]) {
  const { write, bytes, operations } = workload;
  const laps = await Promise.all(
    places.map((each, index) => lanes[index]?.run({ path, write, bytes, offsets: each })),
  );
  const ran = laps.filter((lap) => lap !== undefined);
  const startedAt = Math.min(...ran.map((lap) => lap.startedAt));
  const endedAt = Math.max(...ran.map((lap) => lap.endedAt));
  const moved = bytes * operations * ran.length;
  const latencies = ran.flatMap((lap) => lap.latencies);
  return { throughput: moved / (endedAt - startedAt), latencies } satisfies Result;
}

/** In each turn a round on the hold and two on the bare namespace, in changing order: the second tells the noise. */
async function compare(workload: Workload, disks: Disks, lanes: readonly Lane[]) {
  const paths = [disks.hold, disks.bare, disks.bare];
  const results: Result[][] = [[], [], []];
  for (let turn = -6; turn < turns; turn++) {
    const places = offsets(workload);
    for (let step = 0; step < paths.length; step++) {
      const which = (step + turn + paths.length * 2) % paths.length;
      const result = await round(workload, paths[which] ?? "", places, lanes);
      // The first ones warm everything up.
      if (turn >= 0) results[which]?.push(result);
    }
  }
  const [held = [], bare = [], again = []] = results;
  const what = `hold / bare namespace, ${workload.what}`;
  const shared = { unit: "×", atLeast: 0.95 } as const;
  const [throughput, p99] = ratios(held, bare);
  tellFigure({ what: `${what}: throughput`, measured: throughput, ...shared });
  tellFigure({ what: `${what}: p99, bare / hold`, measured: p99, ...shared });
  return ratios(again, bare);
}

/** Of the throughput, the median of all turns; of the p99 of all operations, the inverse. Less than 1 is worse. */
function ratios(some: readonly Result[], others: readonly Result[]): readonly [number, number] {
  const throughputs = some.map(
    ({ throughput }, turn) => throughput / (others[turn]?.throughput ?? Number.NaN),
  );
  return [percentile(throughputs, 0.5), p99Of(others) / p99Of(some)];
}

function p99Of(results: readonly Result[]): number {
  return percentile(
    results.flatMap(({ latencies }) => latencies),
    0.99,
  );
}

interface Disks {
  readonly hold: string;
  readonly bare: string;
}

async function compareAll(): Promise<void> {
  using world = new World();
  const volume = world.volume("io", sizeMiB);
  sh(`dd if=/dev/urandom of=${volume.image} bs=1M count=${sizeMiB} conv=fsync status=none`);
  world.export(volume);
  const device = await world.connect(volume);
  const hold = await world.holds.create(device, world.ctx);
  const lanes = Array.from({ length: Math.max(...workloads.map((each) => each.lanes)) }, lane);
  const noise: number[] = [];
  for (const workload of workloads)
    noise.push(...(await compare(workload, { hold: hold.path, bare: device.path }, lanes)));
  const [widest = 1] = noise.toSorted((one, other) => Math.abs(other - 1) - Math.abs(one - 1));
  tellFigure({
    what: "bare namespace / itself: the one of these ratios that is furthest from 1",
    measured: widest,
    unit: "×",
  });
  await tellSwap(world, device);
  for (const { end } of lanes) await end();
}

/** Two processes do it, so that one is the measure; I/O waits in the second of them only. */
async function tellSwap(world: World, device: BlockDevice): Promise<void> {
  const ratios: number[] = [];
  for (let turn = 0; turn < 20; turn++) {
    const process = await timed(() => world.dmsetup.table(holdName(device.nqn), world.ctx));
    ratios.push((await timed(() => world.holds.swap(device, () => true, world.ctx))) / process);
  }
  tellFigure({
    what: "swap of a hold, in times of one dmsetup process: median of 20",
    measured: percentile(ratios, 0.5),
    unit: "×",
  });
}

await compareAll();
process.exit(0);
