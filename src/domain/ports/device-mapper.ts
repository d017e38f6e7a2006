import type { Context } from "#lib/context.ts";
import type { BlockDevice } from "../block-device.ts";
import type { Nqn } from "../nqn.ts";

/**
 * A device-mapper device between a volume's namespace and its file system: I/O waits in it while the namespace
 * is away, and goes on when it is back, under whatever name. It belongs to one NQN and is never put on another's
 * device: replaying queued writes over another node's data is the one thing that must not happen.
 */
export interface Hold {
  readonly nqn: Nqn;
  /** `/dev/dm-3`: what is mounted or handed to a pod. It lasts as long as the hold. */
  readonly path: string;
  /** `253:3` */
  readonly majorMinor: string;
  readonly sizeBytes: number;
  /** All I/O waits in it until `resume` or `swap`: by `park`, or because a change of its table was interrupted. */
  readonly suspended: boolean;
}

/** What the kernel tells of a hold at one moment. It does not tell of an outage: ask the controller's state. */
export interface HoldStatus {
  /** `259:1` of the namespace that it was last put on, be that still there or not. */
  readonly device: string;
  /** One per entry of that device. A failed path is not tried again until `reinstate` or `swap`. */
  readonly paths: readonly PathState[];
  /** Whether I/O without a path waits; otherwise it fails. While suspended, what the kernel shows is `false`. */
  readonly queueing: boolean;
}

export type PathState = "active" | "failed";

/** Holds as devices. Implemented by `linux/device-mapper/`; no method waits for I/O. */
export interface DeviceMapper {
  /**
   * Puts a hold on a device, as long as the device is. One that lies on that very device already is returned.
   * @throws {DriverError} `already-exists` when the NQN's hold lies on another device: `swap` it;
   * `failed-precondition` for a device that another one lies on, and for an NQN of more than 119 characters, which no
   * name of a device can carry whole; `unavailable` when the device has gone or is mounted.
   */
  create(device: BlockDevice, ctx: Context): Promise<Hold>;
  find(nqn: Nqn, ctx: Context): Promise<Hold | undefined>;
  /** All holds of this host, sorted by NQN. */
  list(ctx: Context): Promise<readonly Hold[]>;
  /** @throws {DriverError} `not-found` when there is no hold. */
  status(nqn: Nqn, ctx: Context): Promise<HoldStatus>;
  /**
   * Removing what is not there succeeds. Whoever wants to be rid of a hold whose target is gone first fails its
   * queue, then disconnects, then unmounts.
   * @throws {DriverError} `unavailable` while it is open: by mounts, processes, other devices.
   */
  remove(nqn: Nqn, ctx: Context): Promise<void>;
}

/** What lies under a hold. Every method throws `not-found` when there is no hold. */
export interface HoldPaths {
  /**
   * Puts the hold on another device of its NQN, its own length unchanged; waiting I/O goes on there, and queueing
   * is on again. The caller has proved that the device holds the same volume and can be read, and has disconnected
   * controllers that are dead: I/O that waits in their namespaces would hold up the change.
   * @param isStill - Whether the number of the device is still this NQN's. Asked when the number can be nobody else's any
   * more, for the new table keeps the device open, and before anything is written there.
   * @throws {DriverError} `failed-precondition` when the device is smaller, has other blocks, or another device lies
   * on it; `unavailable` when the change did not succeed. In every case the hold is left on a table, resumed.
   */
  swap(device: BlockDevice, isStill: () => boolean, ctx: Context): Promise<void>;
  /**
   * Makes the hold as long as the device, which it lies on; being so already is success.
   * @throws {DriverError} `out-of-range` when the device is smaller: a hold never shrinks; else as `swap`.
   */
  grow(device: BlockDevice, ctx: Context): Promise<void>;
  /** Takes back a change that was interrupted, or the parking, so that I/O goes on. Not being suspended is success. */
  resume(nqn: Nqn, ctx: Context): Promise<void>;
  /** Lets failed paths be tried again; that they are active already is success. */
  reinstate(nqn: Nqn, ctx: Context): Promise<void>;
  /**
   * Puts I/O through to the device it lies on, each with a result of its own, until all that waits now has one; then
   * it holds again. Meanwhile, some milliseconds, errors of an outage would reach who waits, too, and the hold is one
   * block longer. An attempt that is interrupted leaves it so, not queueing, until `queueAgain`.
   * @throws {DriverError} `unavailable` when the change did not succeed.
   */
  passErrors(nqn: Nqn, ctx: Context): Promise<void>;
}

/** What happens to I/O that finds no path. All methods throw `not-found` when there is no hold. */
export interface HoldQueue {
  /**
   * Fails it from now on, and what has waited, with EIO. I/O that waits in the namespace itself, because its
   * controller is connecting, is freed only by disconnecting that.
   */
  failQueue(nqn: Nqn, ctx: Context): Promise<void>;
  /**
   * Lets it wait without cost, until `resume` or `swap`: dm-multipath itself tries again what finds no path, without any pause,
   * which takes a whole processor (seen on Linux 6.12; drivers/md/dm-mpath.c, `process_queued_bios`).
   * @throws {DriverError} `unavailable` when I/O is still under way in the device that it lies on.
   */
  park(nqn: Nqn, ctx: Context): Promise<void>;
  /** Lets it wait again; the device that it lies on must be there. */
  queueAgain(nqn: Nqn, ctx: Context): Promise<void>;
}

/** What this host offers to holds. */
export interface HoldSupport {
  /** Why holds cannot be made here, for an operator; `undefined` when they can. */
  readonly missing: string | undefined;
  /** `missing` says no more than that the host gave no answer: ask again. Left out when it gave one. */
  readonly unanswered?: true;
  /**
   * Seconds after which the host ends every hold by itself (module parameter `queue_if_no_path_timeout_secs` of
   * dm_multipath); 0 = never, as it should be.
   */
  readonly queueTimeoutSeconds: number;
  /** Without it (`nvme_core.multipath=N`) an outage ends only when somebody calls `reinstate`. */
  readonly nativeMultipath: boolean;
}

export interface HoldProbe {
  /** Tries it out, which also makes the kernel load the modules it needs. */
  probe(ctx: Context): Promise<HoldSupport>;
}
