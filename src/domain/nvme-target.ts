import type { Nqn } from "./nqn.ts";

/** Where a node finds a volume: handed over in the publish context, never frozen in the PV. */
export interface NvmeTarget {
  readonly nqn: Nqn;
  /** One or several data addresses of the same subsystem. */
  readonly addresses: readonly string[];
  readonly port: number;
}

/** Time limits of a connection; see nvme-connect(1). */
export interface ConnectOptions {
  /** -1 = never give up. */
  readonly ctrlLossTmoSeconds: number;
  readonly reconnectDelaySeconds: number;
  /** `undefined` = the kernel's default. */
  readonly keepAliveTmoSeconds: number | undefined;
  readonly nrIoQueues: number | undefined;
}
