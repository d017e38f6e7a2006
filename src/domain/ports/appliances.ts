import type { Context } from "#lib/context.ts";
import type { SnapshotStore } from "./snapshot-store.ts";
import type { VolumeStore } from "./volume-store.ts";

/** One appliance as the controller sees it. */
export interface Appliance {
  /** As in the configuration. */
  readonly name: string;
  /** Prefix of the ids of its volumes; `undefined` for the default appliance. */
  readonly idPrefix: string | undefined;
  readonly volumes: VolumeStore;
  readonly snapshots: SnapshotStore;
  /** Where nodes reach its exports. */
  readonly data: { readonly addresses: readonly string[]; readonly port: number };
  readonly limits: CapacityLimits;
  /** @throws {DriverError} `unavailable`, with the reason, when it cannot serve now. */
  ready(ctx: Context): Promise<void>;
}

export interface CapacityLimits {
  /** Share of the pool that stays free, 0 to 1: a full pool destroys guests' file systems. */
  readonly reserve: number;
  /** Share of the pool below which its exports go off until there is room again; 0 = they never do. */
  readonly emergency: number;
  /** How many times its size (less the reserve) may be promised: 1 = never more than there is. */
  readonly overprovision: number;
}

export interface Appliances {
  /** @param name - `undefined` = the default appliance. */
  find(name: string | undefined): Appliance | undefined;
  all(): readonly Appliance[];
}
