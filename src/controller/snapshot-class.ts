import { DriverError } from "#domain/errors.ts";
import type { Parameters } from "./storage-class.ts";

/** Set by the external-snapshotter (`--extra-create-metadata`), not by the author of a VolumeSnapshotClass. */
const snapshotterPrefix = "csi.storage.k8s.io/";

/**
 * A VolumeSnapshotClass decides nothing here: a snapshot lies where its volume does.
 * @throws {DriverError} `invalid-argument` naming a parameter that would have no effect.
 */
export function checkSnapshotClass(given: Parameters): void {
  const unknown = Object.keys(given).find((key) => !key.startsWith(snapshotterPrefix));
  if (unknown === undefined) return;
  throw new DriverError(
    "invalid-argument",
    `Cannot use parameter "${unknown}" of a VolumeSnapshotClass: this driver knows none`,
  );
}
