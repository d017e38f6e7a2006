import { ControllerClient, type VolumeContentSource } from "#csi/gen/csi.ts";
import { MiB } from "#lib/bytes.ts";
import { createVolumeRequest } from "#test/fakes/csi-requests.ts";
import { DriverProcess } from "#test/rig/driver-process.ts";
import {
  type ClusterVolume,
  type Content,
  capabilityFor,
  clusterVolume,
} from "./cluster-volume.ts";
import type { PublishContext } from "./kubelet.ts";
import { driverCommand } from "./programs.ts";
import { clientOf, rpc } from "./rpc.ts";
import { Snapshots } from "./snapshots.ts";

export interface VolumeOptions {
  readonly content: Content;
  readonly sizeMiB?: number;
  readonly mode?: Parameters<typeof capabilityFor>[1];
  /** Of the StorageClass. Default: connections that are tried again each second, for ever. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Default blank. */
  readonly source?: VolumeContentSource;
}

const patient = { ctrlLossTmo: "-1", reconnectDelay: "1", keepAliveTmo: "2" };

/** Kubernetes' control plane: the driver's controller, a process of its own, called as the sidecars call it. */
export class ControlPlane implements AsyncDisposable {
  readonly #folder: string;
  readonly #config: Readonly<Record<string, unknown>>;
  #process: DriverProcess | undefined;
  #client: ControllerClient | undefined;
  #volumes = 0;

  constructor(folder: string, config: Readonly<Record<string, unknown>>) {
    this.#folder = folder;
    this.#config = config;
  }

  async start(): Promise<void> {
    const { socket } = this.launch();
    await this.#process?.listening(180_000);
    this.#client = clientOf(ControllerClient, socket);
  }

  launch(): DriverProcess {
    const parts = { role: "controller", folder: this.#folder, config: this.#config } as const;
    this.#process = new DriverProcess({ ...parts, command: driverCommand });
    return this.#process;
  }

  async kill(): Promise<void> {
    this.#client?.close();
    await this.#process?.kill();
  }

  get logFile(): string {
    return this.#process?.logFile ?? "";
  }

  async create(options: VolumeOptions): Promise<ClusterVolume> {
    const { content, sizeMiB = 64, mode, parameters = patient, source } = options;
    this.#volumes += 1;
    const name = `pvc-00000000-0000-4000-8000-${String(this.#volumes).padStart(12, "0")}`;
    const capability = capabilityFor(content, mode);
    const client = this.#connected();
    const request = createVolumeRequest({
      name,
      capacityRange: { requiredBytes: sizeMiB * MiB, limitBytes: 0 },
      volumeCapabilities: [capability],
      parameters: { ...parameters },
      volumeContentSource: source,
    });
    const { volume } = await rpc(client, client.createVolume, request);
    if (volume === undefined) throw new Error("CreateVolume answered without a volume");
    return clusterVolume(name, volume, capability);
  }

  get snapshots(): Snapshots {
    return new Snapshots(this.#connected());
  }

  /** Attaches the volume to a node. @returns what the node is told. */
  async publish(volume: ClusterVolume, nodeId: string): Promise<PublishContext> {
    const request = {
      volumeId: volume.id,
      nodeId,
      volumeCapability: volume.capability,
      readonly: false,
      secrets: {},
      volumeContext: { ...volume.context },
    };
    const client = this.#connected();
    return (await rpc(client, client.controllerPublishVolume, request)).publishContext;
  }

  async unpublish({ id }: ClusterVolume, nodeId: string): Promise<void> {
    const client = this.#connected();
    const request = { volumeId: id, nodeId, secrets: {} };
    await rpc(client, client.controllerUnpublishVolume, request);
  }

  async expand({ id, capability }: ClusterVolume, sizeMiB: number): Promise<number> {
    const client = this.#connected();
    const request = {
      volumeId: id,
      capacityRange: { requiredBytes: sizeMiB * MiB, limitBytes: 0 },
      secrets: {},
      volumeCapability: capability,
    };
    return (await rpc(client, client.controllerExpandVolume, request)).capacityBytes;
  }

  async delete({ id }: ClusterVolume): Promise<void> {
    const client = this.#connected();
    await rpc(client, client.deleteVolume, { volumeId: id, secrets: {} });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  #connected(): ControllerClient {
    if (this.#client === undefined) throw new Error("The controller does not run");
    return this.#client;
  }
}
