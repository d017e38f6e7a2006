import { setTimeout as delay } from "node:timers/promises";
import type { CsiClient } from "#csi/client.ts";
import {
  VolumeCapability_AccessMode_Mode as Mode,
  type VolumeCapability,
  type VolumeContentSource,
} from "#csi/gen/csi.ts";

const leaveAttempts = 30;
const retryMs = 1_000;

/** Where kubelet would have a volume staged and published on one node. */
export interface Paths {
  readonly staging: string;
  readonly target: string;
}

export interface VolumeOrder {
  readonly name: string;
  readonly fsType: string;
  readonly sizeBytes: number;
  /** Of the StorageClass. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Left out: a blank one. */
  readonly source?: VolumeContentSource;
}

/** What Kubernetes does with one volume, call by call, in the order and with the fields that it uses. */
export class DemoVolume {
  readonly id: string;
  readonly #controller: CsiClient["controller"];
  readonly #capability: VolumeCapability;
  readonly #context: { [key: string]: string };

  static async create(
    { controller }: CsiClient,
    { name, fsType, sizeBytes, parameters = {}, source }: VolumeOrder,
  ): Promise<DemoVolume> {
    const capability: VolumeCapability = {
      mount: { fsType, mountFlags: ["noatime"], volumeMountGroup: "" },
      accessMode: { mode: Mode.SINGLE_NODE_WRITER },
    };
    const { volume } = await controller.createVolume({
      name,
      capacityRange: { requiredBytes: sizeBytes, limitBytes: 0 },
      volumeCapabilities: [capability],
      parameters: {
        "csi.storage.k8s.io/pvc/name": "data",
        "csi.storage.k8s.io/pvc/namespace": "demo",
        ...parameters,
      },
      secrets: {},
      volumeContentSource: source,
      accessibilityRequirements: undefined,
      mutableParameters: {},
    });
    return new DemoVolume(controller, capability, volume);
  }

  private constructor(
    controller: CsiClient["controller"],
    capability: VolumeCapability,
    volume:
      | { readonly volumeId: string; readonly volumeContext: { [key: string]: string } }
      | undefined,
  ) {
    this.#controller = controller;
    this.#capability = capability;
    this.id = volume?.volumeId ?? "";
    this.#context = volume?.volumeContext ?? {};
  }

  /** @returns the publish context: where the node finds the volume. */
  async attach(nodeId: string): Promise<{ [key: string]: string }> {
    const { publishContext } = await this.#controller.controllerPublishVolume({
      volumeId: this.id,
      nodeId,
      volumeCapability: this.#capability,
      readonly: false,
      secrets: {},
      volumeContext: this.#context,
    });
    return publishContext;
  }

  async stage(
    { node }: CsiClient,
    { staging }: Paths,
    publishContext: { [key: string]: string },
  ): Promise<void> {
    await node.nodeStageVolume({
      volumeId: this.id,
      publishContext,
      stagingTargetPath: staging,
      volumeCapability: this.#capability,
      secrets: {},
      volumeContext: this.#context,
    });
  }

  async publish(
    { node }: CsiClient,
    { staging, target }: Paths,
    publishContext: { [key: string]: string },
  ): Promise<void> {
    await node.nodePublishVolume({
      volumeId: this.id,
      publishContext,
      stagingTargetPath: staging,
      targetPath: target,
      volumeCapability: this.#capability,
      readonly: false,
      secrets: {},
      volumeContext: this.#context,
    });
  }

  async expand(sizeBytes: number): Promise<void> {
    await this.#controller.controllerExpandVolume({
      volumeId: this.id,
      capacityRange: { requiredBytes: sizeBytes, limitBytes: 0 },
      secrets: {},
      volumeCapability: this.#capability,
    });
  }

  async expandOn(
    { node }: CsiClient,
    { staging, target }: Paths,
    sizeBytes: number,
  ): Promise<void> {
    await node.nodeExpandVolume({
      volumeId: this.id,
      volumePath: target,
      capacityRange: { requiredBytes: sizeBytes, limitBytes: 0 },
      stagingTargetPath: staging,
      volumeCapability: this.#capability,
      secrets: {},
    });
  }

  /** @returns what the node says of the volume's health. */
  async condition({ node }: CsiClient, { staging, target }: Paths): Promise<string> {
    const { volumeCondition } = await node.nodeGetVolumeStats({
      volumeId: this.id,
      volumePath: target,
      stagingTargetPath: staging,
    });
    return volumeCondition?.message ?? "";
  }

  async leave({ node }: CsiClient, { staging, target }: Paths): Promise<void> {
    await node.nodeUnpublishVolume({ volumeId: this.id, targetPath: target });
    await node.nodeUnstageVolume({ volumeId: this.id, stagingTargetPath: staging });
  }

  /** As kubelet does, which repeats a call that fails: the node may be about to bring a lost connection back. */
  async leaveAtLast(client: CsiClient, paths: Paths): Promise<void> {
    for (let attempt = 1; attempt < leaveAttempts; attempt++) {
      try {
        await this.leave(client, paths);
        return;
      } catch {
        await delay(retryMs);
      }
    }
    await this.leave(client, paths);
  }

  /** @param nodeId - empty = all nodes. */
  async detach(nodeId: string): Promise<void> {
    await this.#controller.controllerUnpublishVolume({ volumeId: this.id, nodeId, secrets: {} });
  }

  /** @returns the id of the snapshot. */
  async snapshot(name: string): Promise<string> {
    const request = { sourceVolumeId: this.id, name, secrets: {}, parameters: {} };
    const { snapshot } = await this.#controller.createSnapshot(request);
    return snapshot?.snapshotId ?? "";
  }

  async deleteSnapshot(snapshotId: string): Promise<void> {
    await this.#controller.deleteSnapshot({ snapshotId, secrets: {} });
  }

  async delete(): Promise<void> {
    await this.#controller.deleteVolume({ volumeId: this.id, secrets: {} });
  }
}
