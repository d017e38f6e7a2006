import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { credentials } from "@grpc/grpc-js";
import { ControllerClient, NodeClient } from "#csi/gen/csi.ts";
import { Simulator } from "#sim/simulator.ts";
import { applianceConfig, DriverProcess } from "#test/rig/driver-process.ts";
import { type Figure, percentile } from "./table.ts";

const bundle = join(import.meta.dirname, "../dist/rds-csi.cjs");
const calls = 10_000;

/** V8 flags of the image, by role (docs/adr/0002-production-dependencies.md). */
const flags = {
  controller: ["--max-old-space-size=128", "--max-semi-space-size=1", "--no-maglev"],
  node: ["--max-old-space-size=64", "--max-semi-space-size=1", "--lite-mode"],
} as const;

const limits = { controller: 90, node: 65 } as const;

type Role = keyof typeof flags;

/** Start-up and memory of the bundle, as the image runs it. */
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
    const figures: Figure[] = [];
    for (const role of ["controller", "node"] as const) {
      const options = { role, folder, config, command: [process.execPath, ...flags[role], bundle] };
      figures.push(await startUp(options), ...(await memory(options)));
    }
    return figures;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

type Options = ConstructorParameters<typeof DriverProcess>[0] & { readonly role: Role };

async function startUp(options: Options): Promise<Figure> {
  const times: number[] = [];
  for (let round = 0; round < 7; round++) {
    const started = performance.now();
    await using driver = new DriverProcess(options);
    await accepting(driver.socket);
    times.push(performance.now() - started);
  }
  return {
    what: `${options.role}: start to listening`,
    measured: percentile(times, 0.5),
    unit: "ms",
    atMost: 200,
  };
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

async function memory(options: Options): Promise<Figure[]> {
  await using driver = new DriverProcess(options);
  await driver.listening();
  await delay(3_000);
  const idle = residentMiB(driver.pid);
  const started = performance.now();
  await tenThousandCalls(options.role, driver.socket);
  const seconds = (performance.now() - started) / 1000;
  await delay(3_000);
  const { role } = options;
  return [
    { what: `${role}: resident memory, idle`, measured: idle, unit: "MiB", atMost: limits[role] },
    {
      what: `${role}: resident memory after ${calls} calls`,
      measured: residentMiB(driver.pid),
      unit: "MiB",
      atMost: limits[role],
    },
    {
      what: `${role}: ${calls} calls, one after another in 16 lanes`,
      measured: calls / seconds,
      unit: "calls/s",
    },
  ];
}

function residentMiB(pid: number): number {
  return (
    Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024
  );
}

/** The controller reads the appliance in each call; the node answers about itself. */
async function tenThousandCalls(role: Role, socket: string): Promise<void> {
  const address = `unix://${socket}`;
  const call = role === "controller" ? capacityCall(address) : infoCall(address);
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      for (let count = 0; count < calls / 16; count++) await call();
    }),
  );
}

function capacityCall(address: string): () => Promise<void> {
  const client = new ControllerClient(address, credentials.createInsecure());
  const request = { volumeCapabilities: [], parameters: {}, accessibleTopology: undefined };
  return () =>
    new Promise((resolve, reject) => {
      client.getCapacity(request, (error) => (error ? reject(error) : resolve()));
    });
}

function infoCall(address: string): () => Promise<void> {
  const client = new NodeClient(address, credentials.createInsecure());
  return () =>
    new Promise((resolve, reject) => {
      client.nodeGetInfo({}, (error) => (error ? reject(error) : resolve()));
    });
}
