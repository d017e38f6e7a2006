import { DriverError } from "#domain/errors.ts";
import type { Mount } from "#domain/ports/mounts.ts";
import type { StagedVolume } from "#domain/staged-volume.ts";
import type { Context } from "#lib/context.ts";
import { boundNodes } from "./bound-nodes.ts";
import type { NodeHost } from "./host.ts";
import { type DeviceName, isMountOf, topmostAt } from "./mount-table.ts";
import { nameOf, type VolumeDisk } from "./volume-disk.ts";

/** Where a device is mounted: its file system, or its device node for raw block volumes. */
export async function mountsOf(
  device: DeviceName,
  host: NodeHost,
  ctx: Context,
): Promise<readonly Mount[]> {
  const mounts = await host.mounts.list(ctx);
  const nodes = await boundNodes(device, mounts, host, ctx);
  return mounts.filter((mount) => isMountOf(device, mount) || nodes.includes(mount));
}

/** Whether somebody may have had a volume in use since it was staged: after a reboot of the node nobody has. */
export async function isInUse(
  { target: { nqn }, stagingPath }: StagedVolume,
  host: NodeHost,
  ctx: Context,
): Promise<boolean> {
  if ((await host.holds?.find(nqn, ctx)) !== undefined) return true;
  if (topmostAt(await host.mounts.list(ctx), stagingPath) !== undefined) return true;
  const device = await host.initiator.findDevice(nqn, ctx);
  return device !== undefined && (await mountsOf(device, host, ctx)).length > 0;
}

/**
 * Lets a disk pass that nobody uses, nor a file system that has left the mount table and still writes back. A device may
 * lie under its own hold, and under nothing else.
 * @param act - What is refused otherwise: "Cannot <act>: …".
 * @throws {DriverError} `failed-precondition` naming mount points, `unavailable` naming stacked devices, or when somebody has
 * the disk to himself.
 */
export async function refuseInUse(
  disk: VolumeDisk,
  act: string,
  host: NodeHost,
  ctx: Context,
): Promise<void> {
  refuseMounted(await mountsOf(disk, host, ctx), act);
  await refuseHolders(disk, act, host, ctx);
  if (await host.devices.isClaimed(disk.path, ctx)) throw claimed(disk.path, act);
  if (disk.under === undefined) return;
  refuseMounted(await mountsOf(disk.under, host, ctx), act);
  const holders = await host.devices.holders(disk.under.majorMinor, ctx);
  const others = holders.filter((name) => name !== nameOf(disk));
  if (others.length > 0) throw heldBy(others, disk.under, act);
}

/** @throws {DriverError} `unavailable` naming the devices stacked on this one, if there are any. */
export async function refuseHolders(
  device: DeviceName,
  act: string,
  { devices }: NodeHost,
  ctx: Context,
): Promise<void> {
  const holders = await devices.holders(device.majorMinor, ctx);
  if (holders.length > 0) throw heldBy(holders, device, act);
}

function claimed(path: string, act: string): DriverError {
  return new DriverError(
    "unavailable",
    `Cannot ${act}: somebody has "${path}" to himself, a program or a file system that still writes back`,
  );
}

function heldBy(holders: readonly string[], { path }: DeviceName, act: string): DriverError {
  return new DriverError("unavailable", `Cannot ${act}: "${path}" is held by ${quoted(holders)}`);
}

/** @throws {DriverError} `failed-precondition` naming the mount points, if there are any. */
export function refuseMounted(mounts: readonly Mount[], act: string): void {
  if (mounts.length === 0) return;
  const places = quoted(mounts.map(({ target }) => target));
  throw new DriverError("failed-precondition", `Cannot ${act}: it is still mounted at ${places}`);
}

/** The same, but for the one place where it may be. */
export function refuseMountedElsewhere(mounts: readonly Mount[], place: string, act: string): void {
  refuseMounted(
    mounts.filter(({ target }) => target !== place),
    act,
  );
}

/** `"a", "b", "c" and 4 more` */
function quoted(words: readonly string[]): string {
  const shown = words.slice(0, 3).map((word) => `"${word}"`);
  const more = words.length > shown.length ? ` and ${words.length - shown.length} more` : "";
  return shown.join(", ") + more;
}
