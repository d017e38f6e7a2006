/** What happens to I/O of a volume while its connection is lost: a StorageClass decides. */
export interface ReconnectPolicy {
  /**
   * `transparent`: I/O waits in a device-mapper hold, and goes on whatever name the device has then.
   * `remount`: no hold; a stale mount is found and healed, but pods may see errors.
   */
  readonly mode: "transparent" | "remount";
  /** A hold ends with EIO after this many seconds without the volume; `undefined` = never. */
  readonly ioHoldSeconds: number | undefined;
  /**
   * After a possible crash of the appliance, writes that it had acknowledged may be gone. `continue`: the hold goes
   * on, and the volume condition says so. `fail`: it ends with EIO, so that the application recovers from its disk.
   */
  readonly onApplianceRestart: "continue" | "fail";
}
