import type { SnapshotLeaf } from "./snapshot-id.ts";

/** A snapshot as the appliance showed it. */
export interface Snapshot {
  readonly leaf: SnapshotLeaf;
  /** Milliseconds since the Unix epoch, by the appliance's clock. */
  readonly createdAt: number;
  /** `false` when somebody made it writable: what it holds now, nobody can tell. */
  readonly intact: boolean;
}
