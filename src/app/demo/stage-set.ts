import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "#config/load.ts";
import { controllerConfig, nodeConfig } from "#config/roles.ts";
import { CsiClient } from "#csi/client.ts";
import { DriverError } from "#domain/errors.ts";
import { GiB } from "#lib/bytes.ts";
import type { Log } from "#lib/log.ts";
import { hostRulesFile } from "#linux/device-mapper/host-rules.ts";
import { policies } from "#sim/appliance/policies.ts";
import { Console } from "#sim/console/console.ts";
import { Simulator } from "#sim/simulator.ts";
import { startController } from "../controller.ts";
import { runUdev, startNode } from "../node.ts";
import { dataAddress, dataPort } from "./nvme.ts";
import type { DemoPool } from "./pool.ts";
import { mountsBelow } from "./show.ts";

/** Everything the demo plays with, in one process and one temporary folder. */
export interface StageSet extends AsyncDisposable {
  readonly folder: string;
  /** Where the images of the appliance lie. */
  readonly images: string;
  /** Whether the appliance can take snapshots. */
  readonly snapshots: boolean;
  readonly simulator: Simulator;
  readonly controller: CsiClient;
  readonly nodes: Readonly<Record<DemoNode, CsiClient>>;
  /** What an operator sees who types `line` on the appliance. */
  readonly typeOnAppliance: (line: string) => Promise<string>;
}

export type DemoNode = "node-a" | "node-b";

/**
 * A simulated appliance, a controller and two nodes, each behind its own socket. Disposing it stops them in
 * reverse and removes the folder; the nodes' mounts must be gone by then.
 * `isNvme`: volumes reach the nodes by NVMe/TCP of this kernel; otherwise as loop devices.
 */
export async function setStage(
  version: string,
  { isNvme, pool }: { readonly isNvme: boolean; readonly pool: DemoPool },
  log: Log,
): Promise<StageSet> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "rds-csi-demo-"));
  stack.defer(() => removeUnmounted(folder));
  if (isNvme) stack.defer(hostRulesAsTheyAre());
  const images = pool.path ?? join(folder, "appliance", "data");
  const simulator = stack.use(await startAppliance({ folder, images, isNvme }));
  const settings = await configFile(folder, isNvme, simulator);
  const client = (name: string) => {
    const endpoint = `unix://${join(folder, `${name}.sock`)}`;
    return { endpoint, client: stack.use(new CsiClient(endpoint)) };
  };
  const controller = client("controller");
  const config = await loadConfig({ config: settings, endpoint: controller.endpoint }, {});
  stack.use(await startController(controllerConfig(config), version, log));
  const startDemoNode = async (name: DemoNode) => {
    const { endpoint, client: caller } = client(name);
    const set = [`node.stateDirectory=${join(folder, name)}`];
    const own = await loadConfig({ config: settings, endpoint, "node-id": name, set }, {});
    stack.use(await startNode(nodeConfig(own), version, log));
    return caller;
  };
  const nodes = {
    "node-a": await startDemoNode("node-a"),
    "node-b": await startDemoNode("node-b"),
  };
  const snapshots = pool.path !== undefined;
  const stage = { folder, images, snapshots, simulator, controller: controller.client, nodes };
  const end = stack.move();
  return {
    ...stage,
    typeOnAppliance: operator(simulator),
    [Symbol.asyncDispose]: () => end.disposeAsync(),
  };
}

/** A recursive removal would walk into whatever is still mounted. */
async function removeUnmounted(folder: string): Promise<void> {
  const [mounted] = await mountsBelow(folder);
  if (mounted !== undefined)
    throw new DriverError(
      "unavailable",
      `Cannot clean up "${folder}": still mounted are ${mounted}`,
    );
  await rm(folder, { recursive: true, force: true });
}

/** Nodes tell udev about volumes, which a machine that has no driver need not remember. */
function hostRulesAsTheyAre(): () => Promise<void> {
  const file = hostRulesFile(runUdev);
  return existsSync(file) ? async () => {} : () => rm(file, { force: true });
}

/** Exports lie on loop devices, because the kernel's target needs direct I/O, which not every `/tmp` has. */
async function startAppliance({
  folder,
  images,
  isNvme,
}: {
  readonly folder: string;
  readonly images: string;
  readonly isNvme: boolean;
}): Promise<Simulator> {
  return await Simulator.start({
    stateDirectory: join(folder, "appliance"),
    dataDirectory: images,
    backEnd: isNvme ? "nvmet" : "files",
    dataAddress,
    pools: [{ mountPoint: "storage-pool", size: 16 * GiB }],
    switches: { "block-size": "512" },
  });
}

/** One file for all three processes, as an operator would write it. */
async function configFile(
  folder: string,
  isNvme: boolean,
  { port, hostKeys, clientKey }: Simulator,
): Promise<string> {
  const path = join(folder, "config.json");
  const rds = {
    address: "127.0.0.1",
    port,
    user: "csi",
    privateKeyFile: clientKey?.file,
    hostKey: hostKeys[0]?.fingerprint,
    pool: "storage-pool",
    data: { addresses: [dataAddress], port: dataPort },
  };
  const exportsDirectory = join(folder, "appliance", "exports");
  const config = {
    clusterId: "demo",
    appliances: { rds },
    nodes: ["node-a", "node-b"],
    kubernetes: "off",
    fencing: { settleTime: "1s" },
    node: { initiator: isNvme ? { type: "linux-nvme" } : { type: "loop", exportsDirectory } },
  };
  await writeFile(path, JSON.stringify(config));
  return path;
}

/** At the appliance's own console, past the driver. */
function operator({ appliance }: Simulator): (line: string) => Promise<string> {
  const console = new Console(appliance.menuTree(new Set(policies)), { width: 110 });
  return async (line) => {
    const { output, errorText = "" } = await console.execute(line, new AbortController().signal);
    return `${output}${errorText}`.replaceAll("\r", "").trimEnd();
  };
}
