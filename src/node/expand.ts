import type { BlockDevice } from "#domain/block-device.ts";
import { DriverError } from "#domain/errors.ts";
import type { Mount } from "#domain/ports/mounts.ts";
import type { StagedVolume } from "#domain/staged-volume.ts";
import type { Context } from "#lib/context.ts";
import { growFilesystem } from "./grow.ts";
import { fillHold } from "./hold.ts";
import type { NodeHost } from "./host.ts";
import { isMountOf, topmostAt } from "./mount-table.ts";
import { findStaged } from "./staged.ts";
import { awaitDevice, requireDevice, rescan } from "./volume-device.ts";
import { requireDisk, type VolumeDisk } from "./volume-disk.ts";

export interface ExpandRequest {
  readonly volumeId: string;
  readonly volumePath: string;
  /** `undefined` = as large as the device is. */
  readonly requiredBytes: number | undefined;
  readonly limitBytes: number | undefined;
}

/**
 * Lets a volume use what the appliance has given it: waits until the device is large enough, then grows its
 * hold and the file system. Always does all of it, since a reply may have been lost after the device had grown.
 * @returns the size of the device in bytes, as measured.
 * @throws {DriverError} `not-found`, `out-of-range`, or `unavailable` when the device has not grown in time.
 */
export async function expand(
  request: ExpandRequest,
  host: NodeHost,
  ctx: Context,
): Promise<number> {
  const volume = await findStaged(request.volumeId, host, ctx);
  const { sizeBytes } = await grownDevice(volume, request, host, ctx);
  if (request.limitBytes !== undefined && sizeBytes > request.limitBytes)
    throw new DriverError(
      "out-of-range",
      `Cannot expand volume "${request.volumeId}": it has ${sizeBytes} bytes, the limit is ${request.limitBytes}`,
    );
  const device = await fillHold(await requireDisk(volume.target.nqn, host, ctx), host, ctx);
  if (volume.use.access.type === "block") return device.sizeBytes;
  const mount = await mountToGrow(request, { volume, device }, host, ctx);
  await growFilesystem({ volume, mount, device }, host, ctx);
  ctx.log.info({ device: device.path, sizeBytes: device.sizeBytes }, "Expanded a volume");
  return device.sizeBytes;
}

async function grownDevice(
  { target: { nqn } }: StagedVolume,
  { requiredBytes }: ExpandRequest,
  host: NodeHost,
  ctx: Context,
): Promise<BlockDevice> {
  if (requiredBytes !== undefined)
    return await awaitDevice({ nqn, minSizeBytes: requiredBytes }, host, ctx);
  await rescan(nqn, host, ctx);
  return await requireDevice(nqn, host, ctx);
}

/** The staging path rather than a pod's: that one may be read-only. Both must be mounts of this device. */
async function mountToGrow(
  { volumeId, volumePath }: ExpandRequest,
  { volume, device }: { readonly volume: StagedVolume; readonly device: VolumeDisk },
  host: NodeHost,
  ctx: Context,
): Promise<Mount> {
  const mounts = await host.mounts.list(ctx);
  const given = topmostAt(mounts, volumePath);
  if (given === undefined || !isMountOf(device, given))
    throw new DriverError(
      "not-found",
      `Cannot expand volume "${volumeId}": it is not mounted at "${volumePath}"`,
    );
  const staged = topmostAt(mounts, volume.stagingPath);
  return staged !== undefined && isMountOf(device, staged) ? staged : given;
}
