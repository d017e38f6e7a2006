import { DriverError, isFailure } from "#domain/errors.ts";
import type { FilesystemUsage } from "#domain/ports/filesystems.ts";
import type { Mount } from "#domain/ports/mounts.ts";
import type { StagedVolume } from "#domain/staged-volume.ts";
import type { Context } from "#lib/context.ts";
import type { NodeHost } from "./host.ts";
import { hasStopped, isDeviceNode, isMountOf, isSameFilesystem, topmostAt } from "./mount-table.ts";
import { findStaged } from "./staged.ts";
import { findDisk, type VolumeDisk } from "./volume-disk.ts";
import type { VolumeCondition } from "./volume-health.ts";

export interface StatsRequest {
  readonly volumeId: string;
  readonly volumePath: string;
}

export interface VolumeStats {
  readonly usage: VolumeUsage;
  readonly condition: { readonly abnormal: boolean; readonly message: string };
}

/** `none`: nothing that could be measured without touching a mount that may be dead. */
export type VolumeUsage =
  | ({ readonly kind: "filesystem" } & FilesystemUsage)
  | { readonly kind: "block"; readonly totalBytes: number }
  | { readonly kind: "none" };

/**
 * How full a volume is, and whether it works, as sysfs and the watch loop tell. A mount whose disk does not answer
 * is reported, not touched, because statfs would hang on it or answer from memory.
 * @throws {DriverError} `not-found` when the volume is not at the path.
 */
export async function stats(
  request: StatsRequest,
  host: NodeHost,
  ctx: Context,
): Promise<VolumeStats> {
  const volume = await findStaged(request.volumeId, host, ctx);
  const device = await findDisk(volume.target.nqn, host, ctx);
  const condition = host.health.conditionOf(volume.volumeId);
  const found = { volume, device: condition && !answers(condition) ? undefined : device };
  const { usage, condition: seen } =
    volume.use.access.type === "block"
      ? await blockStats(request, found, host, ctx)
      : await filesystemStats(request, found, host, ctx);
  if (condition === undefined) return { usage, condition: seen };
  const { state } = condition;
  const message = told(condition);
  if (state !== "connected") return { usage, condition: { abnormal: true, message } };
  return { usage, condition: seen.abnormal ? seen : { abnormal: false, message } };
}

const answering: ReadonlySet<VolumeCondition["state"]> = new Set([
  "connected",
  "doubtful",
  "damaged",
  "stale",
]);

function answers({ state }: VolumeCondition): boolean {
  return answering.has(state);
}

function told({ message, obstacle }: VolumeCondition): string {
  if (obstacle === undefined) return message;
  return `${message}; the last try failed, and the next one follows: ${obstacle}`;
}

interface Found {
  readonly volume: StagedVolume;
  readonly device: VolumeDisk | undefined;
}

async function blockStats(
  { volumeId, volumePath }: StatsRequest,
  { volume, device }: Found,
  host: NodeHost,
  ctx: Context,
): Promise<VolumeStats> {
  const mount = topmostAt(await host.mounts.list(ctx), volumePath);
  const isPublished = mount !== undefined && isDeviceNode(mount);
  const isOurs = isPublishedAt(volume, volumePath);
  if (!isPublished && !isOurs && volumePath !== volume.stagingPath)
    throw notThere(volumeId, volumePath);
  if (device === undefined || (isOurs && !isPublished)) return gone(volume);
  const number = isPublished ? await host.devices.majorMinorOf(volumePath, ctx) : undefined;
  if (number !== undefined && number !== device.majorMinor)
    return replaced(volumePath, number, device);
  return { usage: { kind: "block", totalBytes: device.sizeBytes }, condition: healthy };
}

async function filesystemStats(
  { volumeId, volumePath }: StatsRequest,
  { volume, device }: Found,
  host: NodeHost,
  ctx: Context,
): Promise<VolumeStats> {
  const mounts = await host.mounts.list(ctx);
  const mount = topmostAt(mounts, volumePath);
  if (mount === undefined) throw notThere(volumeId, volumePath);
  if (device !== undefined && isMountOf(device, mount)) return await measure(mount, host, ctx);
  if (!isPublishedAt(volume, volumePath) && !isStale(mount, topmostAt(mounts, volume.stagingPath)))
    throw notThere(volumeId, volumePath);
  return device === undefined ? gone(volume) : replaced(volumePath, mount.majorMinor, device);
}

/** A pod has it there, or had it until its device was lost. */
function isPublishedAt({ published = [] }: StagedVolume, path: string): boolean {
  return published.some(({ target }) => target === path);
}

/** Not a mount of the device as it is now, but of the one that was staged. */
function isStale(mount: Mount, staged: Mount | undefined): boolean {
  return staged !== undefined && isSameFilesystem(mount, staged);
}

async function measure(mount: Mount, host: NodeHost, ctx: Context): Promise<VolumeStats> {
  try {
    const usage = await host.filesystems.usage(mount.target, ctx);
    const errors = await host.filesystems.countErrors(mount.majorMinor, ctx);
    const condition = hasStopped(mount) ? stopped : errors > 0 ? met(errors) : healthy;
    return { usage: { kind: "filesystem", ...usage }, condition };
  } catch (error) {
    if (!isFailure(error, "unavailable") || ctx.signal.aborted) throw error;
    return abnormal(`The file system does not answer: ${error.message}`);
  }
}

const afterErrors =
  "as when the pool of the appliance was full: see the kernel's log, make room, then restart the pods that use the volume on this node, all at once";

const stopped = {
  abnormal: true,
  message: `The file system takes no more writes after an error, ${afterErrors}`,
};

/** Whether it still takes writes, Linux 6.12 to 6.14 do not tell. */
function met(errors: number) {
  return {
    abnormal: true,
    message: `The file system has met errors (${errors} since its last check) and may take no more writes, ${afterErrors}`,
  };
}

const healthy = { abnormal: false, message: "The volume is connected and answers" };

function gone({ target: { nqn } }: StagedVolume): VolumeStats {
  return abnormal(`The device of "${nqn}" is not connected: reads and writes wait or fail`);
}

function replaced(path: string, was: string, device: VolumeDisk): VolumeStats {
  return abnormal(
    `"${path}" shows device ${was}, which is gone: the volume came back as "${device.path}" (${device.majorMinor}), and pods that use it must be restarted`,
  );
}

function abnormal(message: string): VolumeStats {
  return { usage: { kind: "none" }, condition: { abnormal: true, message } };
}

function notThere(volumeId: string, path: string): DriverError {
  return new DriverError(
    "not-found",
    `Cannot find volume "${volumeId}" at "${path}": it is not mounted there`,
  );
}
