import type { BlockDevice } from "../block-device.ts";
import type { Nqn } from "../nqn.ts";

/** What the kernel shows of one NQN at one moment. */
export interface Connection {
  /**
   * `live`: at least one controller answers. `connecting`: there are controllers, and none does.
   * `none`: the kernel has given up, or was never told.
   */
  readonly state: "live" | "connecting" | "none";
  /** The namespace's device, if there is one; a live connection without one is an orphan. */
  readonly device: BlockDevice | undefined;
  /** Beside a controller that answers there is one that does not; I/O may wait in its old device. */
  readonly laggard?: boolean;
  /** Controllers that answer or may do so again, one for each address; left out for none. */
  readonly paths?: number;
}

/** Looks at connections, in sysfs only: cheap enough for hundreds of volumes each second, and never hangs. */
export interface Connections {
  observe(nqn: Nqn): Connection;
  /**
   * Looks it up from scratch next time: one more controller beside those that were seen is not noticed otherwise. Nothing is
   * kept of one that is not looked at again.
   */
  forget(nqn: Nqn): void;
}
