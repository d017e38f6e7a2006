import type { ContentSource } from "#controller/content-source.ts";
import { DriverError } from "#domain/errors.ts";
import type { VolumeContentSource } from "../gen/csi.ts";

/** @throws {DriverError} `invalid-argument` for a source that names neither snapshot nor volume, or both. */
export function contentSourceFrom(
  source: VolumeContentSource | undefined,
): ContentSource | undefined {
  if (source === undefined) return undefined;
  const snapshotId = source.snapshot?.snapshotId ?? "";
  const volumeId = source.volume?.volumeId ?? "";
  if (snapshotId !== "" && volumeId === "") return { type: "snapshot", id: snapshotId };
  if (volumeId !== "" && snapshotId === "") return { type: "volume", id: volumeId };
  throw new DriverError(
    "invalid-argument",
    `Cannot create a volume from a content source with snapshot_id "${snapshotId}" and volume_id "${volumeId}": exactly one is needed`,
  );
}
