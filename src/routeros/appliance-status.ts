import type { PoolRow } from "./pool-row.ts";

/** What an appliance told about itself; for `rds-csi check`, and for knowing whether it can serve. */
export interface ApplianceStatus {
  /** As printed: `7.24.1 (stable)`. */
  readonly version: string;
  readonly board: string;
  readonly identity: string;
  readonly uptimeSeconds: number | undefined;
  /** Name of the installed package: `storage`, `rose-storage`. */
  readonly storagePackage: string;
  readonly pool: PoolRow;
  /** What works but should be known, one sentence each. */
  readonly warnings: readonly string[];
}
