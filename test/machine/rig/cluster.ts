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
import { retry } from "./retry.ts";
import { sh } from "./world.ts";

const folder = "/run/cluster";
const data = "/appliance";
const pool = "storage-pool";
/** On the loopback interface while the data network is up. */
export const dataAddresses = ["10.42.67.1", "10.42.68.1"] as const;
const [dataAddress] = dataAddresses;
const configfs = "/sys/kernel/config/nvmet";

export interface ClusterOptions {
  /** Default `node-a`. */
  readonly nodes?: readonly string[];
  /** Whether nodes reach the appliance at both of its data addresses. Default at the first one only. */
  readonly multipath?: boolean;
  /** Where nodes look for the appliance's data instead, such as at a relay. */
  readonly dataAddress?: string;
  /** File system of the pool. Default Btrfs. */
  readonly pool?: "btrfs" | "xfs";
  /** Of the appliance's pool, as in the configuration. */
  readonly limits?: Readonly<Record<string, string>>;
  readonly switches?: Partial<SwitchValues>;
  /** Between two nodes. Default a second. */
  readonly settleTime?: string;
  /** Of the node plugins. Default a device that is not there after 10 s is not waited for. */
  readonly nodeConfig?: Readonly<Record<string, unknown>>;
  /** The pool is mounted already, and may have been used before. */
  readonly poolIsReady?: boolean;
  /** The appliance has no power when the nodes start. */
  readonly applianceIsOff?: boolean;
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
    setDataNetwork("up", dataAddresses);
    const simulator = stack.use(await Simulator.start(simulatorOptions(options)));
    if (options.applianceIsOff === true) await simulator.powerOff();
    const { nodeCommand } = options;
    const nodes = nodeIds.map((id) => new Kubelet(id, join(folder, id), nodeConfig, nodeCommand));
    const nearest = [options.dataAddress ?? dataAddress];
    const addresses = options.multipath === true ? dataAddresses : nearest;
    const controller = new ControlPlane(folder, {
      clusterId: "machine",
      appliances: {
        rds: { ...applianceConfig(simulator), data: { addresses }, limits: options.limits ?? {} },
      },
      nodes: nodeIds,
      kubernetes: "off",
      logLevel: "debug",
      fencing: { settleTime: options.settleTime ?? "1s" },
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

  /** The reverse of `bringUp`. The watch may be busy with the volume for a moment, after an outage above all. */
  async takeDown(volume: ClusterVolume, nodeId = "node-a"): Promise<void> {
    const node = this.node(nodeId);
    await retry(`unpublishing ${volume.id}`, () => node.unpublish(volume));
    await retry(`unstaging ${volume.id}`, () => node.unstage(volume));
    await this.controller.unpublish(volume, nodeId);
  }

  /** Lets packets of NVMe/TCP vanish, without a word to either side. SSH goes on. */
  loseDataNetwork(addresses: readonly string[] = dataAddresses): void {
    setDataNetwork("down", addresses);
  }

  restoreDataNetwork(addresses: readonly string[] = dataAddresses): void {
    setDataNetwork("up", addresses);
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

  /** The image's file system, which is mounted nowhere, is whole. Of a raw block volume there is none to look at. */
  assertWhole(volume: ClusterVolume): void {
    const fsType = volume.capability.mount?.fsType;
    const image = this.image(volume);
    if (fsType === "ext4") sh(`e2fsck -fn ${image}`);
    if (fsType === "xfs") sh(`xfs_repair -n -f ${image}`);
    if (fsType === "btrfs") sh(`btrfs check --readonly ${image}`);
  }

  /** State of each controller of an NQN: `live`, `connecting`, … */
  controllers(nqn: string): string[] {
    const names = this.sysfs.list("class", "nvme");
    return names
      .filter((name) => this.sysfs.read("class", "nvme", name, "subsysnqn") === nqn)
      .map((name) => this.sysfs.read("class", "nvme", name, "state") ?? "gone");
  }

  /** Disks that a controller of an NQN leads to, by the names of sysfs. */
  devices(nqn: string): string[] {
    const subsystems = this.sysfs.list("class", "nvme-subsystem");
    return subsystems
      .filter((name) => this.sysfs.read("class", "nvme-subsystem", name, "subsysnqn") === nqn)
      .flatMap((name) => this.sysfs.list("class", "nvme-subsystem", name))
      .filter((name) => /^nvme\d+n\d+$/.test(name));
  }

  /** Names of the driver's devices of device-mapper, also of one without a table. */
  holds(): string[] {
    const lines = sh("dmsetup ls").split("\n");
    return lines.flatMap((line) => /^rds-csi-\S+/.exec(line)?.[0] ?? []);
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
    assert.deepEqual(this.holds(), []);
    assert.deepEqual(this.sysfs.list("class", "nvme"), []);
    assert.deepEqual(this.sysfs.list("class", "nvme-subsystem"), []);
    assert.deepEqual(this.exports(), []);
    for (const node of this.#nodes.values()) assert.deepEqual(node.records(), []);
    const disks = [...this.simulator.appliance.disks.all].filter(({ type }) => type === "file");
    assert.deepEqual(disks, []);
    assert.equal(sh(`find ${data} -name '*.img'`), "");
    assert.equal(sh(`find ${data} -name 'snap-*'`), "");
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

/** In this order nothing waits: no queue, no connection, and what is left are only entries, also those of guests. */
function endConnections(): void {
  quietly(
    "for d in $(dmsetup ls --target multipath | cut -f1); do dmsetup message $d 0 fail_if_no_path; done",
  );
  quietly("nvme disconnect-all; grep -o ' /mnt/[^ ]*' /proc/mounts | tac | xargs -r umount -l");
  for (const { target } of nodeMounts().toReversed()) quietly(`umount -l '${target}'`);
  quietly("dmsetup remove_all");
}

function leaveMachine(): void {
  setDataNetwork("down", dataAddresses);
  quietly(`umount ${data}`);
  rmSync(folder, { recursive: true, force: true });
}

function simulatorOptions(options: ClusterOptions) {
  const { pool: type = "btrfs", switches = {}, poolIsReady = false, multipath = false } = options;
  mkdirSync(data, { recursive: true });
  mkdirSync(folder, { recursive: true });
  if (!poolIsReady) {
    assert.ok(!existsSync(join(data, pool)), `${data} is free`);
    sh(`mkfs.${type} -q -f /dev/vda && mount /dev/vda ${data}`);
  }
  return {
    stateDirectory: join(folder, "appliance"),
    dataDirectory: data,
    dataAddress: multipath ? "0.0.0.0" : dataAddress,
    backEnd: "nvmet",
    pools: [{ mountPoint: pool, size: 3 * 1024 * MiB, type, raid: "none" }],
    hostKeyTypes: ["ed25519"],
    switches,
  } as const;
}

function setDataNetwork(state: "up" | "down", addresses: readonly string[]): void {
  for (const address of addresses)
    sh(`ip address ${state === "up" ? "replace" : "flush to"} ${address}/32 dev lo`);
}

function quietly(command: string): void {
  spawnSync("bash", ["-c", command], { timeout: 60_000 });
}
