import { setTimeout as delay } from "node:timers/promises";
import { Kubelet } from "../../test/machine/rig/kubelet.ts";
import { sh, World } from "../../test/machine/rig/world.ts";
import { cpuMilliseconds } from "../process-usage.ts";
import { percentile, timed } from "../table.ts";
import { Fleet, type FleetVolume } from "./fleet.ts";
import { tellFigure } from "./tell-figure.ts";

/* A program of the machine: what staging a volume takes beside few others and beside many, all real. */
const few = 10;
const many = 300;
const rounds = 7;
const folder = "/run/node-a";
/** Taking over what is there starts two processes for each hold. */
const startLimitMs = 240_000;

/** Processes that do nothing: staging is a dozen that do something. */
function idleProcesses(): void {
  for (const program of ["nvme", "dmsetup", "blkid", "mount"]) sh(`${program} --version`);
}

/** Milliseconds that staging takes, and that a few idle processes take, which are started between the calls. */
async function stageTime(node: Kubelet, { volume, publishContext }: FleetVolume) {
  const stages: number[] = [];
  const idle: number[] = [];
  for (let round = -1; round < rounds; round++) {
    const yardstick = await timed(async () => idleProcesses());
    const stage = await timed(() => node.stage(volume, publishContext));
    await node.unstage(volume);
    // The first one warms everything up.
    if (round < 0) continue;
    stages.push(stage);
    idle.push(yardstick);
  }
  return { stage: percentile(stages, 0.5), idle: percentile(idle, 0.5) };
}

/** A plugin that starts looks closely at each volume once. */
async function atRest(pid: number): Promise<void> {
  const deadline = performance.now() + startLimitMs;
  for (let busy = true; busy && performance.now() < deadline; ) {
    const before = cpuMilliseconds(pid);
    await delay(2_000);
    busy = cpuMilliseconds(pid) - before > 1_000;
  }
}

/** CPU time of a plugin at rest, % of a core of this machine. */
async function restingLoad(pid: number): Promise<number> {
  const seconds = 10;
  await delay(5_000);
  const before = cpuMilliseconds(pid);
  await delay(seconds * 1_000);
  return (cpuMilliseconds(pid) - before) / (seconds * 10);
}

const world = new World();
const node = new Kubelet("node-a", folder, { deviceTimeout: "30s" });
const fleet = new Fleet(world, node, `${folder}/state`);
const spare = fleet.add();

async function beside(more: number) {
  await fleet.bringUp(Array.from({ length: more }, () => fleet.add()));
  const { pid } = await node.start(startLimitMs);
  await atRest(pid);
  const times = await stageTime(node, spare);
  const load = await restingLoad(pid);
  await node.kill();
  return { ...times, load };
}

const first = await beside(few);
const second = await beside(many - few);
tellFigure({
  what: `NodeStageVolume of a formatted volume, in times of idle processes, beside ${many} volumes / beside ${few}`,
  measured: second.stage / second.idle / (first.stage / first.idle),
  unit: "×",
  atMost: 1.2,
});
tellFigure({
  what: `NodeStageVolume of a formatted volume, by the clock, beside ${many} volumes / beside ${few}`,
  measured: second.stage / first.stage,
  unit: "×",
});
tellFigure({
  what: `processes that do nothing, beside ${many} volumes / beside ${few}`,
  measured: second.idle / first.idle,
  unit: "×",
});
tellFigure({
  what: `node plugin at rest: CPU, beside ${many} volumes / beside ${few}`,
  measured: second.load / first.load,
  unit: "×",
});
process.exit(0);
