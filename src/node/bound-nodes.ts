import { isFailure } from "#domain/errors.ts";
import type { Mount } from "#domain/ports/mounts.ts";
import type { Context } from "#lib/context.ts";
import type { NodeHost } from "./host.ts";
import { type DeviceName, isDeviceNode, topmostAt } from "./mount-table.ts";

/**
 * Where the node of a device is bind-mounted, as raw block volumes are published. Nodes are asked for their numbers, since
 * mountinfo shows only the names that they once had, and all at once, since a host has many.
 * @throws {DriverError} `unavailable` when one that may be the device's cannot be looked at.
 */
export async function boundNodes(
  device: DeviceName,
  mounts: readonly Mount[],
  host: NodeHost,
  ctx: Context,
): Promise<readonly Mount[]> {
  // Left over itself by a bind that was killed: nobody has it, and it goes with the node.
  const nodes = mounts.filter((mount) => isDeviceNode(mount) && mount.target !== device.path);
  const targets = new Set(nodes.map(({ target }) => target));
  const numbers = await host.devices.majorMinorsOf([...targets], ctx);
  const found: Mount[] = [];
  for (const mount of nodes) {
    const isOurs = numbers.has(mount.target)
      ? numbers.get(mount.target) === device.majorMinor
      : await mayBeNodeOf(device, mount, host, ctx);
    if (isOurs) found.push(mount);
  }
  return found;
}

async function mayBeNodeOf(
  device: DeviceName,
  mount: Mount,
  host: NodeHost,
  ctx: Context,
): Promise<boolean> {
  try {
    return (await host.devices.majorMinorOf(mount.target, ctx)) === device.majorMinor;
  } catch (error) {
    if (!isFailure(error, "unavailable") || ctx.signal.aborted) throw error;
    if (!(await isOthers(device, mount, host, ctx))) throw error;
    return false;
  }
}

/**
 * Whether a node that cannot be looked at is another device's for sure: `/dev` has it under the name that mountinfo shows, for
 * there is one devtmpfs, and until it is deleted, which shows in that name.
 */
async function isOthers(
  device: DeviceName,
  mount: Mount,
  { devices, mounts }: NodeHost,
  ctx: Context,
): Promise<boolean> {
  if (mount.root.endsWith("//deleted")) return false;
  const number = await devices.majorMinorOf(`/dev${mount.root}`, ctx);
  const table = await mounts.list(ctx);
  const isStill = table.some(({ target, root }) => target === mount.target && root === mount.root);
  if (!isStill || topmostAt(table, "/dev")?.fsType !== "devtmpfs") return false;
  return number !== undefined && number !== device.majorMinor;
}
