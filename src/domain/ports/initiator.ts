import type { Context } from "#lib/context.ts";
import type { BlockDevice } from "../block-device.ts";
import type { Nqn } from "../nqn.ts";
import type { ConnectOptions, NvmeTarget } from "../nvme-target.ts";

/**
 * Brings a target's block device to this node. Implemented by `linux/nvme/` (the kernel's fabrics device and sysfs) and
 * `linux/loop/` (the simulator's image on a loop device, for machines without nvme-tcp).
 */
export interface Initiator {
  /** Connects; being connected already is success. Returns before the device need be there. */
  connect(target: NvmeTarget, options: ConnectOptions, ctx: Context): Promise<void>;
  /** The device of this very NQN, verified now; `undefined` when there is none (yet). */
  findDevice(nqn: Nqn, ctx: Context): Promise<BlockDevice | undefined>;
  /** Nodes in `/dev` of all devices that the kernel has of this very NQN, also of those that do not answer. */
  nodesOf(nqn: Nqn, ctx: Context): Promise<readonly string[]>;
  /** Asks the kernel to look at the namespace's size again. */
  rescan(nqn: Nqn, ctx: Context): Promise<void>;
  /**
   * Makes the kernel connect anew where it believes that it is connected: the device stays, and I/O waits meanwhile. Commands that are
   * under way would be sent again, and a slow target may carry out the first of the two last: so only where there are none, or where
   * one has waited for longer than the kernel lets any wait that it has sent.
   * @param silentMs - For so long a command has not been answered.
   * @throws {DriverError} `unavailable` when nothing is live, all that is has commands under way, or the kernel could not.
   */
  reset(nqn: Nqn, silentMs: number, ctx: Context): Promise<void>;
  /**
   * Disconnects and proves it. Not being connected is success.
   * @throws {DriverError} `unavailable` when a controller for the NQN is still there.
   */
  disconnect(nqn: Nqn, ctx: Context): Promise<void>;
}
