import type { Context } from "#lib/context.ts";
import { refuseMounted } from "./device-users.ts";
import type { NodeHost } from "./host.ts";
import { isSameFilesystem, mountsAt } from "./mount-table.ts";
import { unmountAll } from "./unmount.ts";

/**
 * Unmounts whatever is staged at `path`, unless it is published.
 * @throws {DriverError} as `refusePublished()`.
 */
export async function clearStagingPath(
  path: string,
  act: string,
  host: NodeHost,
  ctx: Context,
): Promise<void> {
  await refusePublished(path, act, host, ctx);
  await unmountAll(path, host, ctx);
}

/**
 * Looks for pods: kubelet calls in order, but a pod must survive somebody who does not.
 * @throws {DriverError} `failed-precondition` while what is staged at `path` is mounted elsewhere too.
 */
export async function refusePublished(
  path: string,
  act: string,
  host: NodeHost,
  ctx: Context,
): Promise<void> {
  const mounts = await host.mounts.list(ctx);
  const staged = mountsAt(mounts, path);
  const published = mounts.filter(
    (mount) => mount.target !== path && staged.some((other) => isSameFilesystem(mount, other)),
  );
  refuseMounted(published, act);
}
