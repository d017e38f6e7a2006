import type { BlockDevice } from "#domain/block-device.ts";
import type { Mount } from "#domain/ports/mounts.ts";
import type { PublishedPath, StagedVolume } from "#domain/staged-volume.ts";
import type { Context } from "#lib/context.ts";
import type { NodeHost } from "../host.ts";
import { isDeviceNode, isSameFilesystem, topmostAt } from "../mount-table.ts";
import { isDeviceGone } from "../unmount.ts";

export interface ShownVolume {
  readonly volume: StagedVolume;
  /** `undefined` while there is none: then no device node can be the right one, and none is called stale. */
  readonly device: BlockDevice | undefined;
  /** Mounts of it that are known to be dead, beyond what the mount table tells by itself. */
  readonly dead: readonly Mount[];
}

/**
 * Target paths of a volume that show what it was before: a file system whose device has left the kernel, or the
 * node of another device. Whatever else is mounted there is not this driver's to touch.
 */
export async function stalePaths(
  shown: ShownVolume,
  host: NodeHost,
  ctx: Context,
): Promise<readonly PublishedPath[]> {
  const { published = [], use } = shown.volume;
  if (published.length === 0) return [];
  const table = await host.mounts.list(ctx);
  const isStale = use.access.type === "block" ? isOtherNode : isDeadMount;
  const stale: PublishedPath[] = [];
  for (const path of published)
    if (await isStale(path, shown, { table, host, ctx })) stale.push(path);
  return stale;
}

interface Surroundings {
  readonly table: readonly Mount[];
  readonly host: NodeHost;
  readonly ctx: Context;
}

async function isDeadMount(
  { target }: PublishedPath,
  { volume, dead }: ShownVolume,
  { table, host, ctx }: Surroundings,
): Promise<boolean> {
  const mount = topmostAt(table, target);
  if (mount === undefined) return false;
  if (dead.some((other) => isSameFilesystem(other, mount))) return true;
  const staged = topmostAt(table, volume.stagingPath);
  if (staged !== undefined && isSameFilesystem(staged, mount)) return false;
  return await isDeviceGone(mount, host, ctx);
}

async function isOtherNode(
  path: PublishedPath,
  { device }: ShownVolume,
  { table, host, ctx }: Surroundings,
): Promise<boolean> {
  if (device === undefined) return false;
  const mount = topmostAt(table, path.target);
  // taken away by this driver, and not shown again yet; after a reboot there is nothing either
  if (mount === undefined) return path.deadSince !== undefined && (await isFile(path, host, ctx));
  if (!isDeviceNode(mount)) return false;
  return (await host.devices.majorMinorOf(path.target, ctx)) !== device.majorMinor;
}

async function isFile(
  { target }: PublishedPath,
  { paths }: NodeHost,
  ctx: Context,
): Promise<boolean> {
  return (await paths.kindOf(target, ctx)) === "file";
}

/**
 * Target paths of a raw block volume without any connection whose node leads to a device all the same: the kernel
 * has given its number to another one.
 */
export async function strayPaths(
  { published = [] }: StagedVolume,
  host: NodeHost,
  ctx: Context,
): Promise<readonly PublishedPath[]> {
  if (published.length === 0) return [];
  const table = await host.mounts.list(ctx);
  const strays: PublishedPath[] = [];
  for (const path of published) {
    const mount = topmostAt(table, path.target);
    if (mount === undefined || !isDeviceNode(mount)) continue;
    const number = await host.devices.majorMinorOf(path.target, ctx);
    if (number !== undefined && (await host.devices.isThere(number, ctx))) strays.push(path);
  }
  return strays;
}
