import type { ListedVolume } from "#controller/list-volumes.ts";
import { volumeCondition } from "#controller/volume-condition.ts";
import type { Volume, VolumeCondition } from "../gen/csi.ts";

/** What is known of a volume; its context only where it has just been made. */
export function wireVolume(volume: {
  readonly id: string;
  readonly sizeBytes: number;
  readonly context?: Record<string, string>;
}): Volume {
  return {
    volumeId: volume.id,
    capacityBytes: volume.sizeBytes,
    volumeContext: volume.context ?? {},
    contentSource: undefined,
    accessibleTopology: [],
  };
}

/** A volume and its state, as ListVolumes and ControllerGetVolume tell. */
export function wireListedVolume({ id, volume }: ListedVolume): {
  volume: Volume;
  status: { publishedNodeIds: string[]; volumeCondition: VolumeCondition };
} {
  return {
    volume: wireVolume({ id, sizeBytes: volume.sizeBytes }),
    status: {
      publishedNodeIds: [...(volume.tag.attachment?.nodes ?? [])],
      volumeCondition: volumeCondition(volume),
    },
  };
}
