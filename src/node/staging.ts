import type { MountAccess } from "#domain/access-mode.ts";
import type { StagedVolume } from "#domain/staged-volume.ts";
import type { NodeHost } from "./host.ts";
import type { ToolKind } from "./lasting-tools.ts";
import type { Undo } from "./undo.ts";
import type { VolumeDisk } from "./volume-disk.ts";

/** One stage call under way: what each of its steps needs. */
export interface Staging {
  readonly host: NodeHost;
  /** Gets one step for everything this call does to the node. */
  readonly undo: Undo;
  /** An attempt of this driver for the same NQN was cut short: what it left counts as this call's own. */
  readonly resumed: boolean;
  /** The StorageClass wants I/O to wait while the connection is lost. */
  readonly wantsHold: boolean;
  /** From the controller: a smaller device is not the volume, or not all of it. */
  readonly minSizeBytes: number;
}

/** A volume with its disk at hand, to be mounted. */
export interface AttachedFilesystem {
  readonly volume: StagedVolume;
  readonly access: MountAccess;
  /** What gets mounted: its path and number are looked up again before each step that writes. */
  readonly device: VolumeDisk;
  /** The tool of an earlier call, which has ended well just now. */
  readonly ended: ToolKind | undefined;
}
