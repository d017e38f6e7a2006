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
}
