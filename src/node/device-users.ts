import type { BlockDevice } from "#domain/block-device.ts";
import { DriverError } from "#domain/errors.ts";
import type { Mount } from "#domain/ports/mounts.ts";
import type { Context } from "#lib/context.ts";
import type { NodeHost } from "./host.ts";
import { isDeviceNode, isMountOf } from "./mount-table.ts";

/**
 * Where a device is mounted: its file system, or its device node for raw block volumes. The node is asked
 * for its number, since mountinfo shows only the name it once had.
 */
export async function mountsOf(
  device: BlockDevice,
  host: NodeHost,
  ctx: Context,
): Promise<readonly Mount[]> {
  const found: Mount[] = [];
  for (const mount of await host.mounts.list(ctx))
    if (isMountOf(device, mount) || (await isNodeOf(device, mount, host, ctx))) found.push(mount);
  return found;
}

async function isNodeOf(
  device: BlockDevice,
  mount: Mount,
  { devices }: NodeHost,
  ctx: Context,
): Promise<boolean> {
  return (
    isDeviceNode(mount) && (await devices.majorMinorOf(mount.target, ctx)) === device.majorMinor
  );
}

/**
 * Lets a device pass that nobody uses.
 * @param act - What is refused otherwise: "Cannot <act>: …".
 * @throws {DriverError} `failed-precondition` naming mount points, `unavailable` naming stacked devices.
 */
export async function refuseInUse(
  device: BlockDevice,
  act: string,
  host: NodeHost,
  ctx: Context,
): Promise<void> {
  refuseMounted(await mountsOf(device, host, ctx), act);
  const holders = await host.devices.holders(device.majorMinor, ctx);
  if (holders.length === 0) return;
  throw new DriverError(
    "unavailable",
    `Cannot ${act}: "${device.path}" is held by ${quoted(holders)}`,
  );
}

/** @throws {DriverError} `failed-precondition` naming the mount points, if there are any. */
export function refuseMounted(mounts: readonly Mount[], act: string): void {
  if (mounts.length === 0) return;
  const places = quoted(mounts.map(({ target }) => target));
  throw new DriverError("failed-precondition", `Cannot ${act}: it is still mounted at ${places}`);
}

/** `"a", "b", "c" and 4 more` */
function quoted(words: readonly string[]): string {
  const shown = words.slice(0, 3).map((word) => `"${word}"`);
  const more = words.length > shown.length ? ` and ${words.length - shown.length} more` : "";
  return shown.join(", ") + more;
}
