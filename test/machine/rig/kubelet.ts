import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { NodeClient, type VolumeCondition } from "#csi/gen/csi.ts";
import { DriverProcess } from "#test/rig/driver-process.ts";
import { type ClusterVolume, isBlock } from "./cluster-volume.ts";
import { driverCommand } from "./programs.ts";
import { clientOf, patientRpc, rpc } from "./rpc.ts";

/** Starting takes seconds in an emulated machine, and a minute and more on a busy host. */
const startLimitMs = 180_000;

export type PublishContext = Readonly<Record<string, string>>;

/**
 * A node's kubelet with the driver's node plugin, a process of its own. Nodes of one machine share its kernel:
 * each has its own folders, state and host NQN, but all see the same controllers and mounts. So they can have one
 * volume one after another (each time under another NQN), and not at once.
 */
export class Kubelet implements AsyncDisposable {
  readonly nodeId: string;
  readonly #folder: string;
  readonly #config: Readonly<Record<string, unknown>>;
  readonly #command: readonly string[];
  #process: DriverProcess | undefined;
  #client: NodeClient | undefined;

  constructor(
    nodeId: string,
    folder: string,
    node: Readonly<Record<string, unknown>>,
    command = driverCommand,
  ) {
    this.nodeId = nodeId;
    this.#command = command;
    this.#folder = folder;
    const folders = { stateDirectory: join(folder, "state"), kubeletDirectory: folder };
    this.#config = { nodeId, logLevel: "debug", node: { ...folders, ...node } };
    mkdirSync(folder, { recursive: true });
  }

  /** @param limitMs - for a plugin that finds much to take over. */
  async start(limitMs = startLimitMs): Promise<DriverProcess> {
    const started = this.launch();
    await started.listening(limitMs);
    this.#client = clientOf(NodeClient, started.socket);
    return started;
  }

  /** Starts the plugin without waiting for it. */
  launch(): DriverProcess {
    const parts = { role: "node", folder: this.#folder, config: this.#config } as const;
    this.#process = new DriverProcess({ ...parts, command: this.#command });
    return this.#process;
  }

  async listening(): Promise<void> {
    await this.#process?.listening(startLimitMs);
  }

  /** SIGKILL to the plugin. What it had begun stays as it is, but for its child processes, which go on. */
  async kill(): Promise<void> {
    this.#client?.close();
    await this.#process?.kill();
  }

  get logFile(): string {
    return this.#process?.logFile ?? "";
  }

  stagingPath({ name }: ClusterVolume): string {
    return join(this.#folder, "plugins/kubernetes.io/csi/rds.csi.srvlab.io", name, "globalmount");
  }

  targetPath(volume: ClusterVolume, pod = "pod-1"): string {
    return isBlock(volume)
      ? join(this.#folder, "plugins/kubernetes.io/csi/volumeDevices/publish", volume.name, pod)
      : join(this.#folder, "pods", pod, "volumes/kubernetes.io~csi", volume.name, "mount");
  }

  /** What outlives the plugin, and a reboot of its node. */
  get stateFolder(): string {
    return join(this.#folder, "state");
  }

  /** Ids of the volumes that the plugin has a record of, as its files are called. */
  records(): string[] {
    try {
      return readdirSync(join(this.stateFolder, "volumes"));
    } catch {
      return [];
    }
  }

  /** Where the plugin keeps what it must remember of a volume. */
  recordFile({ id }: ClusterVolume): string {
    return join(this.#folder, "state/volumes", `${id}.json`);
  }

  /** Makes the staging path, and the note beside it that kubelet writes before it asks a driver to stage. */
  note(volume: ClusterVolume): void {
    const path = this.stagingPath(volume);
    mkdirSync(path, { recursive: true });
    const data = { driverName: "rds.csi.srvlab.io", volumeHandle: volume.id };
    writeFileSync(join(dirname(path), "vol_data.json"), JSON.stringify(data));
  }

  async stage(volume: ClusterVolume, publishContext: PublishContext, timeoutMs?: number) {
    const stagingTargetPath = this.stagingPath(volume);
    this.note(volume);
    const request = {
      volumeId: volume.id,
      publishContext: { ...publishContext },
      stagingTargetPath,
      volumeCapability: volume.capability,
      secrets: {},
      volumeContext: { ...volume.context },
    };
    const client = this.#connected();
    await patientRpc(client, client.nodeStageVolume, request, timeoutMs);
  }

  /** Gives the volume to a pod. @returns where the pod finds it. */
  async publish(
    volume: ClusterVolume,
    publishContext: PublishContext,
    pod?: string,
    readonly = false,
  ) {
    const targetPath = this.targetPath(volume, pod);
    mkdirSync(dirname(targetPath), { recursive: true });
    const request = {
      volumeId: volume.id,
      publishContext: { ...publishContext },
      stagingTargetPath: this.stagingPath(volume),
      targetPath,
      volumeCapability: volume.capability,
      readonly,
      secrets: {},
      volumeContext: { ...volume.context },
    };
    const client = this.#connected();
    await patientRpc(client, client.nodePublishVolume, request);
    return targetPath;
  }

  async unpublish(volume: ClusterVolume, pod?: string): Promise<void> {
    const request = { volumeId: volume.id, targetPath: this.targetPath(volume, pod) };
    const client = this.#connected();
    await patientRpc(client, client.nodeUnpublishVolume, request);
  }

  async unstage(volume: ClusterVolume, timeoutMs?: number): Promise<void> {
    const request = { volumeId: volume.id, stagingTargetPath: this.stagingPath(volume) };
    const client = this.#connected();
    await patientRpc(client, client.nodeUnstageVolume, request, timeoutMs);
    rmSync(join(dirname(this.stagingPath(volume)), "vol_data.json"), { force: true });
  }

  /** @returns bytes, as the node measured them. */
  async expand(volume: ClusterVolume, requiredBytes: number, pod?: string): Promise<number> {
    const request = {
      volumeId: volume.id,
      volumePath: this.targetPath(volume, pod),
      stagingTargetPath: this.stagingPath(volume),
      capacityRange: { requiredBytes, limitBytes: 0 },
      volumeCapability: volume.capability,
      secrets: {},
    };
    const client = this.#connected();
    return (await patientRpc(client, client.nodeExpandVolume, request)).capacityBytes;
  }

  /** What NodeGetVolumeStats says of the volume's health. */
  async condition(volume: ClusterVolume, pod?: string): Promise<VolumeCondition | undefined> {
    return (await this.stats(volume, pod)).volumeCondition;
  }

  /** Asks for statistics, as kubelet does each minute. */
  async stats(volume: ClusterVolume, pod?: string) {
    const client = this.#connected();
    return await rpc(client, client.nodeGetVolumeStats, {
      volumeId: volume.id,
      volumePath: this.targetPath(volume, pod),
      stagingTargetPath: this.stagingPath(volume),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client?.close();
    await this.#process?.kill();
  }

  #connected(): NodeClient {
    if (this.#client === undefined) throw new Error(`The plugin of ${this.nodeId} does not run`);
    return this.#client;
  }
}
