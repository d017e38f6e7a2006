import type { Slot } from "./volume-id.ts";
import type { VolumeTag } from "./volume-tag.ts";

/** A volume as the appliance showed it at one moment. */
export interface Volume {
  readonly slot: Slot;
  /** What the block device offers, in bytes. */
  readonly sizeBytes: number;
  readonly layout: Layout;
  readonly tag: VolumeTag;
  /** The comment as it was read, to the letter: the compare part of every compare-and-set. */
  readonly comment: string;
  readonly exported: ExportState;
}

/** `subvolume`: a Btrfs subvolume with one image, which snapshots need. `flat`: one image in a folder. */
export type Layout = "subvolume" | "flat";

export interface ExportState {
  readonly enabled: boolean;
  /** As set on the appliance; meaningful while `enabled`. */
  readonly nqn: string;
  readonly port: number;
}

/** The file system that holds the images. */
export interface Pool {
  readonly mountPoint: string;
  readonly layout: Layout;
  /** 0 when the appliance does not tell size or free room, and so is `freeBytes`. */
  readonly sizeBytes: number;
  readonly freeBytes: number;
}

/** Everything one read of `/disk` tells. */
export interface Survey {
  readonly volumes: readonly Volume[];
  readonly pool: Pool;
  /** Sum of the sizes of all images on the pool, ours or not: what was promised to somebody. */
  readonly provisionedBytes: number;
}
