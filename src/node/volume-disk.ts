import type { BlockDevice } from "#domain/block-device.ts";
import { DriverError } from "#domain/errors.ts";
import type { Nqn } from "#domain/nqn.ts";
import type { Hold } from "#domain/ports/device-mapper.ts";
import type { Context } from "#lib/context.ts";
import type { NodeHost } from "./host.ts";

/** What of a volume is mounted or handed to pods, as looked up at one moment: its hold, else its device. */
export interface VolumeDisk extends BlockDevice {
  /** Of a hold: the namespace's device that it lies on. */
  readonly under?: BlockDevice;
}

/** @returns `undefined` while the volume is not connected, or its hold has not been put on its device yet. */
export async function findDisk(
  nqn: Nqn,
  host: NodeHost,
  ctx: Context,
): Promise<VolumeDisk | undefined> {
  return (await lookUp(nqn, host, ctx)).disk;
}

/**
 * The disk of a connection as it is now. Names and numbers do not last, so nothing is remembered: every step
 * that touches a disk asks again.
 * @throws {DriverError} `unavailable` when there is none that can be used.
 */
export async function requireDisk(nqn: Nqn, host: NodeHost, ctx: Context): Promise<VolumeDisk> {
  const { device, hold, disk } = await lookUp(nqn, host, ctx);
  if (disk !== undefined) return disk;
  throw new DriverError(
    "unavailable",
    device === undefined || hold === undefined
      ? `Cannot use the device of "${nqn}": it is not connected`
      : `Cannot use "${hold.path}", the hold of "${nqn}": it has not been put on "${device.path}" (${device.majorMinor}) yet`,
  );
}

/**
 * Looks the disk up again right before something is done to it.
 * @throws {DriverError} `unavailable` when it is gone, or when another one has taken its place.
 */
export async function verifyDisk(disk: VolumeDisk, host: NodeHost, ctx: Context): Promise<void> {
  const now = await requireDisk(disk.nqn, host, ctx);
  if (now.path === disk.path && now.majorMinor === disk.majorMinor) return;
  throw new DriverError(
    "unavailable",
    `Cannot use "${disk.path}" (${disk.majorMinor}): "${disk.nqn}" is "${now.path}" (${now.majorMinor}) now`,
  );
}

/** Whether a hold lies on this very device. Sysfs tells by its holders, so that no process is needed. */
export async function liesOn(
  hold: Hold,
  device: BlockDevice,
  { devices }: NodeHost,
  ctx: Context,
): Promise<boolean> {
  return (await devices.holders(device.majorMinor, ctx)).includes(nameOf(hold));
}

/** `dm-3`, as sysfs calls it. */
export function nameOf({ path }: { readonly path: string }): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

interface Found {
  readonly device: BlockDevice | undefined;
  readonly hold: Hold | undefined;
  readonly disk: VolumeDisk | undefined;
}

async function lookUp(nqn: Nqn, host: NodeHost, ctx: Context): Promise<Found> {
  const device = await host.initiator.findDevice(nqn, ctx);
  const hold = await host.holds?.find(nqn, ctx);
  if (hold === undefined) return { device, hold, disk: device };
  if (device === undefined) return { device, hold, disk: undefined };
  try {
    const disk = (await liesOn(hold, device, host, ctx)) ? held(hold, device) : undefined;
    return { device, hold, disk };
  } catch (error) {
    // It went between the two looks.
    if (await host.devices.isThere(device.majorMinor, ctx)) throw error;
    return { device: undefined, hold, disk: undefined };
  }
}

function held({ nqn, path, majorMinor, sizeBytes }: Hold, under: BlockDevice): VolumeDisk {
  return { nqn, path, majorMinor, sizeBytes, blockBytes: under.blockBytes, under };
}
