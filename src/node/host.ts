import type { BlockDevices } from "#domain/ports/block-devices.ts";
import type { DeviceMapper, HoldPaths, HoldQueue } from "#domain/ports/device-mapper.ts";
import type { DirectReads } from "#domain/ports/direct-reads.ts";
import type { Filesystems } from "#domain/ports/filesystems.ts";
import type { HostPaths } from "#domain/ports/host-paths.ts";
import type { Initiator } from "#domain/ports/initiator.ts";
import type { Mounts } from "#domain/ports/mounts.ts";
import type { StageRecords } from "#domain/ports/stage-records.ts";
import type { Clock } from "#lib/clock.ts";
import type { LastingTools } from "./lasting-tools.ts";
import type { VolumeHealth } from "./volume-health.ts";

/** The machine a node plugin serves: what its use cases need from outside. */
export interface NodeHost {
  readonly initiator: Initiator;
  readonly devices: BlockDevices;
  readonly filesystems: Filesystems;
  readonly reads: DirectReads;
  readonly mounts: Mounts;
  readonly paths: HostPaths;
  readonly records: StageRecords;
  /** `undefined` where holds cannot be made: outages that change a device then reach the pods. */
  readonly holds: Holds | undefined;
  /** mkfs and repairs, which may take longer than a call. */
  readonly tools: LastingTools;
  readonly health: VolumeHealth;
  readonly clock: Clock;
  /** How long a device may take to appear after a connect, or to show its new size. */
  readonly deviceWaitMilliseconds: number;
}

export type Holds = DeviceMapper & HoldPaths & HoldQueue;

/** A node that can make holds. */
export type HoldingHost = NodeHost & { readonly holds: Holds };
