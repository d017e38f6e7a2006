import type { Context } from "#lib/context.ts";
import type { Nqn } from "../nqn.ts";
import type { ConnectOptions, NvmeTarget } from "../nvme-target.ts";
import type { Mount } from "./mounts.ts";

/** A volume that kubelet had staged by the driver of this name, whichever driver that was then. */
export interface KubeletVolume {
  readonly volumeId: string;
  readonly stagingPath: string;
}

/** What kubelet itself remembers of volumes with file systems. Implemented by `linux/kubelet-volumes.ts`. */
export interface KubeletVolumes {
  list(ctx: Context): Promise<readonly KubeletVolume[]>;
}

/** How the kernel was told to connect, by whomever. */
export interface ConnectionOrigin {
  readonly target: NvmeTarget;
  readonly connect: ConnectOptions;
}

/** What the kernel tells of connections that others have made. Implemented by `linux/nvme/`. */
export interface ConnectionTraces {
  /** `undefined` when the kernel has no controller of that NQN. */
  originOf(nqn: Nqn): ConnectionOrigin | undefined;
  /** Whose disk is mounted, also one that has left while the mount holds on to it; `undefined` when none can be told. */
  ownerOf(mount: Mount): string | undefined;
}
