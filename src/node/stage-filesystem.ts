import { accessModes } from "#domain/access-mode.ts";
import { DriverError } from "#domain/errors.ts";
import type { Mount } from "#domain/ports/mounts.ts";
import type { StagedVolume } from "#domain/staged-volume.ts";
import type { Context } from "#lib/context.ts";
import { clearStagingPath } from "./clear-staging.ts";
import { ensureFilesystem } from "./format.ts";
import { growFilesystem } from "./grow.ts";
import type { NodeHost } from "./host.ts";
import { isMountOf, isReadOnly, topmostAt } from "./mount-table.ts";
import { mountVolume } from "./mount-volume.ts";
import type { AttachedFilesystem, Staging } from "./staging.ts";

/**
 * Gets the volume's file system mounted at its staging path, whatever an earlier call left there.
 * @returns the record of the volume as it is now.
 */
export async function stageFilesystem(
  attached: AttachedFilesystem,
  staging: Staging,
  ctx: Context,
): Promise<StagedVolume> {
  const { volume, device } = attached;
  const { host } = staging;
  const mounted = topmostAt(await host.mounts.list(ctx), volume.stagingPath);
  if (mounted !== undefined && isMountOf(device, mounted)) {
    const adopted = adopt(mounted, attached);
    // The call that mounted it may have been killed before it grew it.
    if (adopted.phase !== "staged") await fillDevice(attached, host, ctx);
    return adopted;
  }
  if (mounted !== undefined) await clearStale(mounted, attached, staging, ctx);
  const formatted = await ensureFilesystem(attached, staging, ctx);
  await mountVolume({ ...attached, volume: formatted }, staging, ctx);
  await fillDevice({ ...attached, volume: formatted }, host, ctx);
  return formatted;
}

/** It is mounted already. A call that ended before its record said so, or whose record is lost, did that. */
function adopt(mounted: Mount, { volume, access }: AttachedFilesystem): StagedVolume {
  const writes = accessModes[volume.use.accessMode].writes;
  if (mounted.fsType === access.fsType && isReadOnly(mounted) === !writes) return volume;
  throw new DriverError(
    "already-exists",
    `Cannot stage volume "${volume.volumeId}" as ${access.fsType}, ${writes ? "writable" : "read-only"}: it is mounted as ${mounted.fsType}, ${isReadOnly(mounted) ? "read-only" : "writable"}`,
  );
}

/** A mount left from before the device was renumbered is dead; a mount that nobody here made is not ours. */
async function clearStale(
  mounted: Mount,
  { volume, device }: AttachedFilesystem,
  { host, resumed }: Staging,
  ctx: Context,
): Promise<void> {
  const { stagingPath, volumeId } = volume;
  if (volume.phase !== "staged" && !resumed)
    throw new DriverError(
      "failed-precondition",
      `Cannot stage volume "${volumeId}": "${mounted.source}" (${mounted.majorMinor}) is mounted at "${stagingPath}", and the volume is "${device.path}" (${device.majorMinor})`,
    );
  ctx.log.warn(
    { stagingPath, was: mounted.majorMinor, is: device.majorMinor },
    "Unmounting a staging path whose device was replaced",
  );
  await clearStagingPath(stagingPath, `stage volume "${volumeId}" again`, host, ctx);
}

/** A clone or a restored volume may be larger than its file system. Data that can be had is worth more. */
async function fillDevice(
  { volume, device }: AttachedFilesystem,
  host: NodeHost,
  ctx: Context,
): Promise<void> {
  const mount = topmostAt(await host.mounts.list(ctx), volume.stagingPath);
  if (mount === undefined) return;
  try {
    await growFilesystem({ volume, mount, device }, host, ctx);
  } catch (error) {
    if (!(error instanceof DriverError) || ctx.signal.aborted) throw error;
    ctx.log.warn(
      { device: device.path, reason: error.message },
      "The file system is smaller than its device and could not be grown",
    );
  }
}
