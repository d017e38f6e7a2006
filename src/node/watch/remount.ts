import type { BlockDevice } from "#domain/block-device.ts";
import { DriverError } from "#domain/errors.ts";
import type { StagedVolume } from "#domain/staged-volume.ts";
import type { Context } from "#lib/context.ts";
import { mountOptions } from "../mount-options.ts";
import { isMountOf, isSameFilesystem, mountsAt, topmostAt } from "../mount-table.ts";
import { unmountAll } from "../unmount.ts";
import type { WatchHost } from "./host.ts";
import type { Outcome } from "./outcome.ts";
import { disprove } from "./prove.ts";

/**
 * Mounts a volume without hold anew at its staging path, where the mount of a device that is gone lies. Pods that
 * have that mount keep it: nothing can give a running one another. They get the volume back when they are restarted.
 * @returns why the device is not the volume, or who keeps the dead mount.
 * @throws {DriverError} `unavailable` while a mount there is alive.
 */
export async function remount(
  volume: StagedVolume,
  device: BlockDevice,
  host: WatchHost,
  ctx: Context,
): Promise<Outcome> {
  const { access, accessMode } = volume.use;
  if (access.type === "block") return {};
  const reason = await disprove({ volume, device, minSizeBytes: 0 }, host, ctx);
  if (reason !== undefined) return { refused: { majorMinor: device.majorMinor, reason } };
  const leftBehind = await clearStale(volume, device, host, ctx);
  await host.mounts.mount(
    {
      source: device.path,
      target: volume.stagingPath,
      fsType: access.fsType,
      options: mountOptions(access, accessMode).filesystem,
    },
    ctx,
  );
  ctx.log.info({ nqn: device.nqn, device: device.path }, "Mounted a volume again");
  return { leftBehind };
}

/** @returns where else that mount is: in pods. */
async function clearStale(
  { volumeId, stagingPath }: StagedVolume,
  device: BlockDevice,
  host: WatchHost,
  ctx: Context,
): Promise<readonly string[]> {
  const mounts = await host.mounts.list(ctx);
  const stale = topmostAt(mounts, stagingPath);
  if (stale === undefined) return [];
  if (mountsAt(mounts, stagingPath).some((mount) => isMountOf(device, mount)))
    throw new DriverError(
      "unavailable",
      `Cannot mount volume "${volumeId}" again: a mount at "${stagingPath}" is alive`,
    );
  await unmountAll(stagingPath, host, ctx);
  const same = mounts.filter((mount) => isSameFilesystem(mount, stale));
  return same.map(({ target }) => target).filter((target) => target !== stagingPath);
}
