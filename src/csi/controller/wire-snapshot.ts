import type { ListedSnapshot } from "#controller/list-snapshots.ts";
import { idOf } from "#controller/located-volume.ts";
import type { Snapshot } from "../gen/csi.ts";

/** RouterOS takes a snapshot at once, so one that shows is ready, unless somebody has written to it. */
export function wireSnapshot({ id, appliance, snapshot }: ListedSnapshot): Snapshot {
  const { leaf, createdAt, intact } = snapshot;
  return {
    snapshotId: id,
    sourceVolumeId: idOf(leaf.source, appliance),
    sizeBytes: leaf.sizeBytes,
    creationTime: new Date(createdAt),
    readyToUse: intact,
    groupSnapshotId: "",
  };
}
