import type { ListedVolume } from "#controller/list-volumes.ts";
import { volumeCondition } from "#controller/volume-condition.ts";
import type { Volume, VolumeCondition, VolumeContentSource } from "../gen/csi.ts";

/**
 * What is known of a volume; context and source only where it has just been made: the comment keeps the key of a
 * snapshot, not its whole id.
 */
export function wireVolume(volume: {
  readonly id: string;
  readonly sizeBytes: number;
  readonly context?: Record<string, string>;
  readonly source?: VolumeContentSource | undefined;
}): Volume {
  return {
    volumeId: volume.id,
    capacityBytes: volume.sizeBytes,
    volumeContext: volume.context ?? {},
    contentSource: volume.source,
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
