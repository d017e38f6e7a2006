import type { Version } from "#sim/console/menu.ts";
import type { Value } from "#sim/console/value.ts";
import type { BackEnd } from "./back-end.ts";
import type { Disks } from "./disks.ts";
import type { FileSystem } from "./file-system.ts";
import type { Initiators } from "./initiators.ts";
import type { Numbering } from "./numbering.ts";
import type { Switches } from "./switches.ts";

/** What the menus of one appliance work on. */
export interface Machine {
  readonly version: Version;
  /** As `/system/resource` prints it: `7.24.1 (stable)`. */
  readonly versionText: string;
  readonly hasStoragePackage: boolean;
  readonly switches: Switches;
  readonly numbering: Numbering;
  readonly disks: Disks;
  /** By mount point, in the order in which they were configured. */
  readonly fileSystems: ReadonlyMap<string, FileSystem>;
  readonly backEnd: BackEnd;
  readonly initiators: Initiators;
  readonly names: Names;
  /** Property values that a test shows in place of the real ones, by slot. */
  readonly shown: ReadonlyMap<string, ReadonlyMap<string, Value>>;
  /** Traffic counters by slot, as far as somebody recorded some. */
  readonly traffic: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly bootedAt: Date;
  /**
   * Runs one change of the state, after the changes before it, and has the state saved.
   * @throws {ConsoleError} also for what the back end could not do.
   */
  change<T>(task: () => Promise<T>): Promise<T>;
  /** Waits; shortened only by the end of the simulator, as a device goes on without its client. */
  pause(milliseconds: number): Promise<void>;
}

/** Settings outside of `/disk`. */
export interface Names {
  identity: string;
  autoSmbSharing: boolean;
  autoMediaSharing: boolean;
  autoMediaInterface: string;
  /** In which the appliance prints times. */
  timeZone: string;
}
