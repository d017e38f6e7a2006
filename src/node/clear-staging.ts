import type { Context } from "#lib/context.ts";
import { refuseMounted } from "./device-users.ts";
import type { NodeHost } from "./host.ts";
import { isSameFilesystem, mountsAt } from "./mount-table.ts";
import { unmountAll } from "./unmount.ts";

/**
 * Unmounts whatever is staged at `path`. Looks for pods first: kubelet calls in order, but a pod must survive
 * somebody who does not.
 * @throws {DriverError} `failed-precondition` while the same file system is mounted elsewhere too.
 */
export async function clearStagingPath(
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
  await unmountAll(path, host, ctx);
}
