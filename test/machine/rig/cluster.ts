import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Mount } from "#domain/ports/mounts.ts";
import { parseVolumeId } from "#domain/volume-id.ts";
import { MiB } from "#lib/bytes.ts";
import { parseMountInfo } from "#linux/mountinfo.ts";
import { Sysfs } from "#linux/sysfs.ts";
import { backingPath, type Disk } from "#sim/appliance/disk.ts";
import type { SwitchValues } from "#sim/appliance/switch-table.ts";
import { NvmetFabric } from "#sim/nvmet/nvmet-fabric.ts";
import { Simulator } from "#sim/simulator.ts";
import { applianceConfig } from "#test/rig/driver-process.ts";
import type { ClusterVolume } from "./cluster-volume.ts";
import { ControlPlane } from "./control-plane.ts";
import { Kubelet } from "./kubelet.ts";
import { sh } from "./world.ts";

const folder = "/run/cluster";
const data = "/appliance";
const pool = "storage-pool";
/** On the loopback interface while the data network is up. */
const dataAddress = "10.42.67.1";
const configfs = "/sys/kernel/config/nvmet";

export interface ClusterOptions {
  /** Default `node-a`. */
  readonly nodes?: readonly string[];
  /** File system of the pool. Default Btrfs. */
  readonly pool?: "btrfs" | "xfs";
  readonly switches?: Partial<SwitchValues>;
  /** Of the node plugins. Default a device that is not there after 10 s is not waited for. */
  readonly nodeConfig?: Readonly<Record<string, unknown>>;
  /** The pool is mounted already, and may have been used before. */
  readonly poolIsReady?: boolean;
  /** What runs as node plugin. Default the driver as it ships. */
  readonly nodeCommand?: readonly string[];
}

/**
 * All of it, in one machine: a simulated appliance whose exports are real NVMe/TCP from a pool on `/dev/vda`, the
 * driver's controller and node plugins as processes, and Kubernetes' part of the work. Disposing of it leaves the
 * machine as it was, also after a scenario that failed.
 */
export class Cluster implements AsyncDisposable {
  readonly simulator: Simulator;
  readonly fabric: NvmetFabric;
  readonly controller: ControlPlane;
  readonly sysfs = new Sysfs("/sys");
  readonly #nodes: ReadonlyMap<string, Kubelet>;
  readonly #stack: AsyncDisposableStack;

  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    const { nodes: nodeIds = ["node-a"], nodeConfig = { deviceTimeout: "10s" } } = options;
    await using stack = new AsyncDisposableStack();
    stack.defer(leaveMachine);
    setDataNetwork("up");
    const simulator = stack.use(await Simulator.start(simulatorOptions(options)));
    const { nodeCommand } = options;
    const nodes = nodeIds.map((id) => new Kubelet(id, join(folder, id), nodeConfig, nodeCommand));
    const controller = new ControlPlane(folder, {
      clusterId: "machine",
      appliances: { rds: { ...applianceConfig(simulator), data: { addresses: [dataAddress] } } },
      nodes: nodeIds,
      kubernetes: "off",
      logLevel: "debug",
      fencing: { settleTime: "1s" },
    });
    // Without connections nothing waits any more, and what is left are only entries.
    stack.defer(endConnections);
    for (const process of [...nodes, controller]) stack.use(process);
    await Promise.all([controller.start(), ...nodes.map((node) => node.start())]);
    return new Cluster(simulator, controller, nodes, stack.move());
  }

  private constructor(
    simulator: Simulator,
    controller: ControlPlane,
    nodes: readonly Kubelet[],
    stack: AsyncDisposableStack,
  ) {
    const { fabric } = simulator.appliance.backEnd;
    assert.ok(fabric instanceof NvmetFabric);
    this.simulator = simulator;
    this.fabric = fabric;
    this.controller = controller;
    this.#nodes = new Map(nodes.map((node) => [node.nodeId, node]));
    this.#stack = stack;
  }

  node(id = "node-a"): Kubelet {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new Error(`Cannot find node "${id}" in this cluster`);
    return node;
  }

  /** Attaches, stages and publishes. @returns where the pod finds it, and what the node was told. */
  async bringUp(volume: ClusterVolume, nodeId = "node-a") {
    const context = await this.controller.publish(volume, nodeId);
    await this.node(nodeId).stage(volume, context);
    const path = await this.node(nodeId).publish(volume, context);
    return { context, path, nqn: context["nqn"] ?? "" };
  }

  /** The reverse of `bringUp`. */
  async takeDown(volume: ClusterVolume, nodeId = "node-a"): Promise<void> {
    await this.node(nodeId).unpublish(volume);
    await this.node(nodeId).unstage(volume);
    await this.controller.unpublish(volume, nodeId);
  }

  /** Lets packets of NVMe/TCP vanish, without a word to either side. SSH goes on. */
  loseDataNetwork(): void {
    setDataNetwork("down");
  }

  restoreDataNetwork(): void {
    setDataNetwork("up");
  }

  /** The volume's item on the appliance. */
  disk({ id }: ClusterVolume): Disk | undefined {
    const slot = parseVolumeId(id)?.slot;
    return slot === undefined ? undefined : this.simulator.appliance.disks.withSlot(slot);
  }

  /** Where the volume's image lies, past all the rest. */
  image(volume: ClusterVolume): string {
    const disk = this.disk(volume);
    const path = disk === undefined ? undefined : backingPath(disk);
    if (path === undefined) throw new Error(`Cannot find the image of "${volume.id}"`);
    return join(data, path);
  }

  /** State of each controller of an NQN: `live`, `connecting`, … */
  controllers(nqn: string): string[] {
    const names = this.sysfs.list("class", "nvme");
    return names
      .filter((name) => this.sysfs.read("class", "nvme", name, "subsysnqn") === nqn)
      .map((name) => this.sysfs.read("class", "nvme", name, "state") ?? "gone");
  }

  /** What the kernel's target exports. */
  exports(): string[] {
    return readdirSync(join(configfs, "subsystems"));
  }

  /** Mounts that belong to nodes. */
  mounts(): Mount[] {
    return nodeMounts();
  }

  /** After the last volume was deleted: neither kernel, nodes nor appliance know anything of one. */
  assertNothingLeft(): void {
    assert.deepEqual(this.mounts(), []);
    assert.deepEqual(this.sysfs.list("class", "nvme"), []);
    assert.deepEqual(this.sysfs.list("class", "nvme-subsystem"), []);
    assert.deepEqual(this.exports(), []);
    for (const node of this.#nodes.values()) assert.deepEqual(node.records(), []);
    const disks = [...this.simulator.appliance.disks.all].filter(({ type }) => type === "file");
    assert.deepEqual(disks, []);
    assert.equal(sh(`find ${data} -name '*.img'`), "");
  }

  /** The last lines that the processes logged, for scenarios that fail. */
  logs(): string {
    const files = [this.controller, ...this.#nodes.values()].map(({ logFile }) => logFile);
    return sh(`tail -n 8 ${files.join(" ")} | cut -c -700`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

function nodeMounts(): Mount[] {
  const mounts = parseMountInfo(readFileSync("/proc/self/mountinfo", "latin1"));
  return mounts.filter(({ target }) => target.startsWith(`${folder}/`));
}

function endConnections(): void {
  quietly("nvme disconnect-all");
  for (const { target } of nodeMounts().toReversed()) quietly(`umount -l '${target}'`);
}

function leaveMachine(): void {
  setDataNetwork("down");
  quietly(`umount ${data}`);
  rmSync(folder, { recursive: true, force: true });
}

function simulatorOptions({
  pool: type = "btrfs",
  switches = {},
  poolIsReady = false,
}: ClusterOptions) {
  mkdirSync(data, { recursive: true });
  mkdirSync(folder, { recursive: true });
  if (!poolIsReady) {
    assert.ok(!existsSync(join(data, pool)), `${data} is free`);
    sh(`mkfs.${type} -q -f /dev/vda && mount /dev/vda ${data}`);
  }
  return {
    stateDirectory: join(folder, "appliance"),
    dataDirectory: data,
    dataAddress,
    backEnd: "nvmet",
    pools: [{ mountPoint: pool, size: 3 * 1024 * MiB, type, raid: "none" }],
    hostKeyTypes: ["ed25519"],
    switches,
  } as const;
}

function setDataNetwork(state: "up" | "down"): void {
  sh(`ip address ${state === "up" ? "replace" : "delete"} ${dataAddress}/32 dev lo`);
}

function quietly(command: string): void {
  spawnSync("bash", ["-c", command], { timeout: 60_000 });
}
