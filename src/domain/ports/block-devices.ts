import type { Context } from "#lib/context.ts";

/** Block devices as the kernel shows them. */
export interface BlockDevices {
  /**
   * Names of the devices stacked on this one or on its partitions (`/sys/…/holders`): dm, md, …
   * @param majorMinor - `259:1`
   * @throws {DriverError} `unavailable` when the kernel has no such device.
   */
  holders(majorMinor: string, ctx: Context): Promise<readonly string[]>;
  /** @returns `259:1` of a device node, or `undefined` when `path` is none or is not there. */
  majorMinorOf(path: string, ctx: Context): Promise<string | undefined>;
  /**
   * As `majorMinorOf`, of many paths by one look. Those that are not there or cannot be looked at are left out:
   * `majorMinorOf` tells which.
   * @throws {DriverError} `unavailable` when it takes too long, which does not tell whose fault it is.
   */
  majorMinorsOf(
    paths: readonly string[],
    ctx: Context,
  ): Promise<ReadonlyMap<string, string | undefined>>;
  /** Whether the kernel has a device of this number now. @param majorMinor - `259:1` */
  isThere(majorMinor: string, ctx: Context): Promise<boolean>;
  /**
   * Whether somebody has the device to himself: a file system, also one whose last mount has left the mount table and that
   * still writes back; a device on top of it; a program that opened it so. Of a node that is not there nobody has.
   */
  isClaimed(path: string, ctx: Context): Promise<boolean>;
  setReadOnly(path: string, readOnly: boolean, ctx: Context): Promise<void>;
  /** Size in bytes now. */
  sizeOf(path: string, ctx: Context): Promise<number>;
}
