import type { Nqn } from "./nqn.ts";

/** A volume's block device on this node, as looked up at one moment. Names do not last: look up again. */
export interface BlockDevice {
  readonly nqn: Nqn;
  /** `/dev/nvme0n1` */
  readonly path: string;
  /** `259:1` */
  readonly majorMinor: string;
  readonly sizeBytes: number;
  readonly blockBytes: number;
  /**
   * What the target calls the namespace (`uuid.…`), where it says so; another one under the same NQN hints at a
   * restart of the target.
   */
  readonly identity?: string;
}
