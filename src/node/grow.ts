import { accessModes } from "#domain/access-mode.ts";
import type { BlockDevice } from "#domain/block-device.ts";
import type { Mount } from "#domain/ports/mounts.ts";
import type { StagedVolume } from "#domain/staged-volume.ts";
import type { Context } from "#lib/context.ts";
import type { NodeHost } from "./host.ts";
import { isReadOnly } from "./mount-table.ts";

/**
 * Grows a mounted file system to its device, verified by the caller just now. One that may only be read stays
 * as it is, since growing writes.
 */
export async function growFilesystem(
  { volume, mount, device }: { volume: StagedVolume; mount: Mount; device: BlockDevice },
  host: NodeHost,
  ctx: Context,
): Promise<void> {
  if (!accessModes[volume.use.accessMode].writes || isReadOnly(mount)) return;
  const mounted = { fsType: mount.fsType, device: device.path, mountPoint: mount.target };
  const sizeBytes = await host.filesystems.grow(mounted, ctx);
  ctx.log.debug({ device: device.path, sizeBytes }, "The file system fills its device");
}
