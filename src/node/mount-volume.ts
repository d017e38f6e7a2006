import { accessModes } from "#domain/access-mode.ts";
import { DriverError, isFailure } from "#domain/errors.ts";
import type { Context } from "#lib/context.ts";
import { notReplayed, refuseBesideTwin } from "./copies.ts";
import { mountsOf, refuseInUse } from "./device-users.ts";
import type { NodeHost } from "./host.ts";
import type { Tool } from "./lasting-tools.ts";
import { mountOptions } from "./mount-options.ts";
import { isMountOf, topmostAt } from "./mount-table.ts";
import type { AttachedFilesystem, Staging } from "./staging.ts";
import { unmountAll } from "./unmount.ts";
import { requireDisk, verifyDisk } from "./volume-disk.ts";

/**
 * Mounts a volume at its staging path, where nothing is mounted yet. Mount first: the kernel replays the
 * journal of a crash by itself. Only when that fails and may be for damage, or when the file system says that it has met
 * errors, is it checked, once, and mounted again. The check may have outlived the call that began it.
 * @throws {DriverError} `internal` with the words of mount; what the check throws, after them; `failed-precondition` when
 * mount says that the file system is not to blame, and for a copy that cannot be mounted as it is, or here.
 */
export async function mountVolume(
  attached: AttachedFilesystem,
  { host, undo }: Staging,
  ctx: Context,
): Promise<void> {
  const { stagingPath } = attached.volume;
  await host.paths.ensureDirectory(stagingPath, ctx);
  undo.add((undoCtx) => unmountAll(stagingPath, host, undoCtx));
  try {
    await mountOnce(attached, host, ctx);
  } catch (error) {
    if (!isFailure(error, "internal")) throw error;
    if (attached.ended === "check") throw error;
    await refuseBesideTwin(attached.volume, error, host, ctx);
    if (!mayRepair(attached)) throw notReplayed(attached.volume, error);
    await check(attached, error.message, { host, ctx });
    await mountOnce(attached, host, ctx);
  }
  await checkErrors(attached, host, ctx);
  await verifyMounted(attached, host, ctx);
}

/**
 * Of an earlier life, noted in its superblock: an ext4 that goes on with them may do more harm. One that is mounted
 * elsewhere too, for pods that have outlived its staging path, is left to go on.
 */
async function checkErrors(
  attached: AttachedFilesystem,
  host: NodeHost,
  ctx: Context,
): Promise<void> {
  const { access, device, volume } = attached;
  const errors = await host.filesystems.countErrors(device.majorMinor, ctx);
  if (errors === 0 || !mayRepair(attached) || attached.ended === "check") return;
  if ((await mountsOf(device, host, ctx)).length > 1) return;
  await unmountAll(volume.stagingPath, host, ctx);
  await refuseInUse(device, `check volume "${volume.volumeId}"`, host, ctx);
  await check(
    attached,
    `The ${access.fsType} on "${device.path}" has met errors, ${errors} since its last check`,
    { host, ctx },
  );
  await mountOnce(attached, host, ctx);
}

async function mountOnce(
  { volume, access, device }: AttachedFilesystem,
  host: NodeHost,
  ctx: Context,
): Promise<void> {
  await verifyDisk(device, host, ctx);
  const { use, source: copiedFrom } = volume;
  const options = mountOptions(access, use.accessMode, copiedFrom !== undefined).filesystem;
  const { path: source } = device;
  const request = { source, target: volume.stagingPath, fsType: access.fsType, options };
  await host.mounts.mount(request, ctx);
  ctx.log.info(request, "Mounted a volume");
}

/** A repair writes. */
function mayRepair({ volume }: AttachedFilesystem): boolean {
  return accessModes[volume.use.accessMode].writes;
}

async function check(
  { access, device }: AttachedFilesystem,
  reason: string,
  { host, ctx }: { readonly host: NodeHost; readonly ctx: Context },
): Promise<void> {
  ctx.log.warn(
    { device: device.path, fsType: access.fsType, reason },
    "Checking a file system before it is used",
  );
  const tool: Tool = {
    kind: "check",
    name: `the check of ${access.fsType} on "${device.path}"`,
    reason,
    run: async (toolCtx) => {
      try {
        await verifyDisk(device, host, toolCtx);
        await host.filesystems.check(device.path, access.fsType, toolCtx);
      } catch (error) {
        throw after(reason, error);
      }
    },
  };
  await host.tools.run(device.nqn, tool, ctx);
}

/** What the check found hides why there was one; the call that takes its result may be another. */
function after(reason: string, error: unknown): unknown {
  if (!(error instanceof DriverError)) return error;
  return new DriverError(error.kind, `${reason}; ${error.message}`, { cause: error });
}

/** Names may have moved between the look-up and the mount: what counts is what is mounted now. */
async function verifyMounted(
  { volume, device }: AttachedFilesystem,
  host: NodeHost,
  ctx: Context,
): Promise<void> {
  const now = await requireDisk(device.nqn, host, ctx);
  const mounted = topmostAt(await host.mounts.list(ctx), volume.stagingPath);
  if (mounted !== undefined && isMountOf(now, mounted)) return;
  throw new DriverError(
    "unavailable",
    `Cannot stage volume "${volume.volumeId}": "${volume.stagingPath}" shows ${mounted === undefined ? "no mount" : `"${mounted.source}" (${mounted.majorMinor})`} after the mount of "${now.path}" (${now.majorMinor})`,
  );
}
