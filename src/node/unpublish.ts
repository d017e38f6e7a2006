import { DriverError } from "#domain/errors.ts";
import type { Context } from "#lib/context.ts";
import type { NodeHost } from "./host.ts";
import { forgetPublished } from "./published.ts";
import { unmountAll } from "./unmount.ts";

export interface UnpublishRequest {
  readonly volumeId: string;
  readonly targetPath: string;
}

/**
 * Takes a volume away from a pod. Needs no device, so that a pod with a dead mount can go.
 * @throws {DriverError} `failed-precondition` when something with content is left at the target path: it is
 * somebody's data and stays.
 */
export async function unpublish(
  { volumeId, targetPath }: UnpublishRequest,
  host: NodeHost,
  ctx: Context,
): Promise<void> {
  const volume = await host.records.find(volumeId, ctx);
  if (volume?.stagingPath === targetPath)
    throw new DriverError(
      "invalid-argument",
      `Cannot unpublish volume "${volumeId}": "${targetPath}" is its staging path`,
    );
  await clearTarget(targetPath, host, ctx);
  await forgetPublished(volumeId, targetPath, host, ctx);
  ctx.log.info({ targetPath }, "Unpublished a volume");
}

/** Unmounts until mountinfo shows nothing at `path`, then removes the empty folder or file, and no more. */
export async function clearTarget(path: string, host: NodeHost, ctx: Context): Promise<void> {
  await unmountAll(path, host, ctx);
  await host.paths.removeIfEmpty(path, ctx);
}
