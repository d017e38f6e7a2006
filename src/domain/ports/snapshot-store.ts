import type { Context } from "#lib/context.ts";
import type { Snapshot } from "../snapshot.ts";
import type { SnapshotKey, SnapshotLeaf } from "../snapshot-id.ts";
import type { Volume } from "../volume.ts";

/**
 * Where the snapshots of one appliance's volumes are. Every method is one round trip and may throw what those of
 * `VolumeStore` do; an appliance whose pool cannot have snapshots has none.
 */
export interface SnapshotStore {
  /** All snapshots of this cluster, also of volumes that are gone. Shared by concurrent callers. */
  list(ctx: Context): Promise<Snapshot[]>;
  /** The one that bears `key`, whatever it was taken of. */
  find(key: SnapshotKey, ctx: Context): Promise<Snapshot | undefined>;
  /**
   * Takes a snapshot of the volume as it is on the appliance's disk at one moment, and returns what was read
   * back. One that bears `key` already is returned as it is: compare its source.
   * @throws {DriverError} `resource-exhausted` for a full pool, `operation-pending` when the volume has grown or
   * gone since it was read, `failed-precondition` where the layout has no snapshots.
   */
  take(volume: Volume, key: SnapshotKey, ctx: Context): Promise<Snapshot>;
  /** Volumes made from it keep their content. Removing what is not there succeeds. */
  remove(leaf: SnapshotLeaf, ctx: Context): Promise<void>;
}
