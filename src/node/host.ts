import type { BlockDevices } from "#domain/ports/block-devices.ts";
import type { Filesystems } from "#domain/ports/filesystems.ts";
import type { HostPaths } from "#domain/ports/host-paths.ts";
import type { Initiator } from "#domain/ports/initiator.ts";
import type { Mounts } from "#domain/ports/mounts.ts";
import type { StageRecords } from "#domain/ports/stage-records.ts";
import type { Clock } from "#lib/clock.ts";

/** The machine a node plugin serves: what its use cases need from outside. */
export interface NodeHost {
  readonly initiator: Initiator;
  readonly devices: BlockDevices;
  readonly filesystems: Filesystems;
  readonly mounts: Mounts;
  readonly paths: HostPaths;
  readonly records: StageRecords;
  readonly clock: Clock;
  /** How long a device may take to appear after a connect, or to show its new size. */
  readonly deviceWaitMilliseconds: number;
}
