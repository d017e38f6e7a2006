import {
  VolumeCapability_AccessMode_Mode as Mode,
  type Volume,
  type VolumeCapability,
} from "#csi/gen/csi.ts";
import { blockCapability, mountCapability } from "#test/fakes/csi-requests.ts";

/** What a volume is used as. */
export type Content = "ext4" | "xfs" | "btrfs" | "block";

/** A PersistentVolume: what Kubernetes keeps of a volume that was made. */
export interface ClusterVolume {
  readonly name: string;
  readonly id: string;
  readonly capability: VolumeCapability;
  readonly context: Readonly<Record<string, string>>;
}

export function clusterVolume(
  name: string,
  volume: Volume,
  capability: VolumeCapability,
): ClusterVolume {
  return { name, id: volume.volumeId, capability, context: volume.volumeContext };
}

export function capabilityFor(content: Content, mode: Mode = Mode.SINGLE_NODE_WRITER) {
  return content === "block" ? blockCapability(mode) : mountCapability(content, mode);
}

export function isBlock({ capability }: ClusterVolume): boolean {
  return capability.block !== undefined;
}
