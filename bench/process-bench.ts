import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Simulator } from "#sim/simulator.ts";
import { applianceConfig, DriverProcess } from "#test/rig/driver-process.ts";
import image from "../deploy/processes.json" with { type: "json" };
import { controllerLoad, type Load, mayMount, nodeLoad } from "./load.ts";
import { cpuMilliseconds, residentMiB } from "./process-usage.ts";
import { type Figure, percentile } from "./table.ts";

const bundle = join(import.meta.dirname, "../dist/rds-csi.cjs");
const limits = { controller: 90, node: 65 } as const;
const lanes = 16;

/** V8 gives memory back some eight seconds after the last garbage; a driver in a cluster rests far longer. */
const restMs = 12_000;

type Options = Omit<ConstructorParameters<typeof DriverProcess>[0], "role" | "command">;
type Role = keyof typeof limits;

/** Start-up and memory of the bundle, with the environment and the flags of the image. */
export async function processes(): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "rds-csi-bench-"));
  try {
    await using simulator = await Simulator.start({
      stateDirectory: join(folder, "rds"),
      backEnd: "files",
    });
    const config = {
      nodeId: "n1",
      nodes: ["n1"],
      clusterId: "bench",
      kubernetes: "off",
      logLevel: "error",
      appliances: { rds: applianceConfig(simulator) },
      node: {
        stateDirectory: join(folder, "state"),
        initiator: { type: "loop", exportsDirectory: join(folder, "rds/exports") },
      },
    };
    const options = { folder, config };
    return [
      ...(await startUp("controller", options)),
      ...(await startUp("node", options)),
      ...(await controllerMemory(options)),
      ...(await nodeMemory(options)),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param wrapper - A program that puts itself around the process and then becomes it. */
function start(role: Role, options: Options, wrapper: readonly string[] = []): DriverProcess {
  const environment = Object.entries(image.environment).map(([name, value]) => `${name}=${value}`);
  const program = [process.execPath, ...image.flags[role], bundle];
  const command = [...wrapper, "env", ...environment, ...program];
  return new DriverProcess({ ...options, role, command });
}

async function startUp(role: Role, options: Options): Promise<Figure[]> {
  const wall: number[] = [];
  const cpu: number[] = [];
  for (let round = 0; round < 15; round++) {
    const started = performance.now();
    await using driver = start(role, options);
    await accepting(driver.socket);
    wall.push(performance.now() - started);
    cpu.push(cpuMilliseconds(driver.pid));
  }
  const what = `${role}: start to listening`;
  return [
    { what: `${what}, median of 15`, measured: percentile(wall, 0.5), unit: "ms", atMost: 200 },
    { what: `${what}, fastest of 15`, measured: percentile(wall, 0), unit: "ms" },
    { what: `${what}, CPU time of all threads`, measured: percentile(cpu, 0.5), unit: "ms" },
  ];
}

/** Until somebody answers on the socket; a file from before does not count. */
async function accepting(socket: string): Promise<void> {
  for (let tries = 0; tries < 5_000; tries++) {
    if (existsSync(socket) && (await answers(socket))) return;
    await delay(1);
  }
  throw new Error(`Cannot measure start-up: nobody listens on "${socket}"`);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

async function controllerMemory(options: Options): Promise<Figure[]> {
  await using driver = start("controller", options);
  const idle = await idleMiB(driver);
  await using load = controllerLoad(driver.socket);
  return await soak("controller", driver, { idle, load });
}

async function nodeMemory(options: Options): Promise<Figure[]> {
  await using controller = start("controller", options);
  await controller.listening();
  // Mounts of its own: other programs of this machine neither see them nor keep them busy.
  await using driver = start("node", options, mayMount() ? ["unshare", "--mount"] : []);
  const idle = await idleMiB(driver);
  const { folder } = options;
  await using load = await nodeLoad({ controller: controller.socket, node: driver.socket, folder });
  return await soak("node", driver, { idle, load });
}

async function idleMiB(driver: DriverProcess): Promise<number> {
  await driver.listening();
  await delay(restMs);
  return residentMiB(driver.pid).now;
}

/** Memory must not follow the number of calls: what 20,000 calls more add is a figure of its own. */
async function soak(
  role: Role,
  { pid }: DriverProcess,
  { idle, load }: { readonly idle: number; readonly load: Load },
): Promise<Figure[]> {
  const atMost = limits[role];
  const memory = `${role}: resident memory`;
  const rate = await busy(load, 0, 10_000);
  await delay(restMs);
  const after10 = residentMiB(pid);
  await busy(load, 10_000, 30_000);
  await delay(restMs);
  const after30 = residentMiB(pid);
  return [
    { what: `${memory}, idle`, measured: idle, unit: "MiB", atMost },
    { what: `${memory}, after 10,000 calls`, measured: after10.now, unit: "MiB", atMost },
    { what: `${memory}, after 30,000 calls`, measured: after30.now, unit: "MiB", atMost },
    {
      what: `${memory}, growth from 10,000 to 30,000 calls`,
      measured: after30.now - after10.now,
      unit: "MiB",
      atMost: 3,
    },
    { what: `${memory}, peak under load`, measured: after30.peak, unit: "MiB" },
    { what: `${role}: ${load.what}, ${lanes} lanes`, measured: rate, unit: "calls/s" },
  ];
}

/** @returns calls per second. */
async function busy({ call }: Load, from: number, to: number): Promise<number> {
  const started = performance.now();
  let next = from;
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (next < to) await call(next++);
    }),
  );
  return ((to - from) / (performance.now() - started)) * 1_000;
}
