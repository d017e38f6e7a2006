import type { VolumeUse } from "./access-mode.ts";
import type { ConnectOptions, NvmeTarget } from "./nvme-target.ts";
import type { ReconnectPolicy } from "./reconnect.ts";

/** What this node must remember about a volume across a restart of the plugin. */
export interface StagedVolume {
  /** The CSI volume id, to the letter. */
  readonly volumeId: string;
  readonly target: NvmeTarget;
  readonly connect: ConnectOptions;
  readonly use: VolumeUse;
  readonly stagingPath: string;
  /** Extra mkfs arguments of the StorageClass. */
  readonly mkfsOptions: readonly string[];
  readonly reconnect: ReconnectPolicy;
  readonly phase: StagePhase;
  /**
   * What it was copied from, a snapshot or a volume. Its file system keeps the UUID that it was copied with, so that
   * this node may have another one with it (docs/adr/0008-copies-keep-their-uuid.md).
   */
  readonly source?: string;
  /** UUID of the file system on it, once known. */
  readonly fsUuid?: string;
  /** Logical block size of its device in bytes, once known: a device with another one is not put under its hold. */
  readonly blockBytes?: number;
  /**
   * Of its namespace, as the file system was mounted on it or its hold last lay on it: one that differs was given
   * by a target that may have crashed, also while no plugin ran to see it.
   */
  readonly identity?: string;
  /** Writes that were acknowledged before may be lost. ISO 8601; kept until the volume is staged afresh. */
  readonly doubtfulSince?: string;
  /** Its file system is being mounted again: written before the dead mount at the staging path is taken away. */
  readonly remounting?: true;
  /** Where pods have it: written before the mount there is made, forgotten after it is gone. */
  readonly published?: readonly PublishedPath[];
}

/** A target path, and what is needed to show the volume there again after its device was replaced. */
export interface PublishedPath {
  readonly target: string;
  /** Of its bind mount: `ro`, `nosuid`, … */
  readonly options: readonly string[];
  /**
   * When the mount there was last found dead, ISO 8601; containers that are older keep it. Written before the mount
   * is touched.
   */
  readonly deadSince?: string;
}

/**
 * `connecting`: a connection may exist. `formatting`: written before mkfs, so that a killed mkfs may be
 * repeated here under the same NQN and nowhere else. `staged`: ready.
 */
export type StagePhase = "connecting" | "formatting" | "staged";
