import type { MountAccess } from "#domain/access-mode.ts";
import type { BlockDevice } from "#domain/block-device.ts";
import { DriverError } from "#domain/errors.ts";
import type { Mount } from "#domain/ports/mounts.ts";
import type { StagedVolume } from "#domain/staged-volume.ts";
import type { Context } from "#lib/context.ts";
import { mountOptions } from "../mount-options.ts";
import { isMountOf, mountsAt, topmostAt } from "../mount-table.ts";
import { disprove } from "../prove.ts";
import { isReadOnlyDevice } from "../read-only-device.ts";
import { isDeviceGone, unmountDead } from "../unmount.ts";
import type { WatchHost } from "./host.ts";
import type { Outcome } from "./outcome.ts";
import { showAgain } from "./show-again.ts";
import type { Sight } from "./sight.ts";

/**
 * Brings a volume without hold back whose device was replaced: its file system at its staging path, then in its
 * pods. What a step finds done already it leaves, so that it may be repeated from wherever it ended.
 * @returns why the device is not the volume.
 * @throws {DriverError} `unavailable` while a mount at the staging path is alive.
 */
export async function remount(
  { volume, mounted }: Sight,
  device: BlockDevice,
  host: WatchHost,
  ctx: Context,
): Promise<Outcome> {
  const { access } = volume.use;
  if (host.tools.has(device.nqn))
    throw new DriverError(
      "unavailable",
      `Cannot mount volume "${volume.volumeId}" again: a tool that staging has begun still has it`,
    );
  if (access.type === "mount" && mounted === device.majorMinor)
    return await showAgain({ volume: await end(volume, host, ctx), device, dead: [] }, host, ctx);
  const reason = await disprove({ volume, device, minSizeBytes: 0 }, host, ctx);
  if (reason !== undefined) return { refused: { majorMinor: device.majorMinor, reason } };
  if (isReadOnlyDevice(volume.use)) await host.devices.setReadOnly(device.path, true, ctx);
  if (access.type === "block") return await showAgain({ volume, device, dead: [] }, host, ctx);
  const begun: StagedVolume = { ...volume, remounting: true };
  await host.records.save(begun, ctx);
  const dead = await mountAnew({ volume, access, device }, host, ctx);
  return await showAgain({ volume: await end(begun, host, ctx), device, dead }, host, ctx);
}

/** @returns the record as it is now. */
async function end(
  { remounting, ...volume }: StagedVolume,
  { records }: WatchHost,
  ctx: Context,
): Promise<StagedVolume> {
  if (remounting === true) await records.save(volume, ctx);
  return volume;
}

interface Returned {
  readonly volume: StagedVolume;
  readonly access: MountAccess;
  readonly device: BlockDevice;
}

/** @returns the dead mounts that lay at the staging path. */
async function mountAnew(
  { volume, access, device }: Returned,
  host: WatchHost,
  ctx: Context,
): Promise<readonly Mount[]> {
  const target = volume.stagingPath;
  const dead = mountsAt(await host.mounts.list(ctx), target);
  for (const mount of dead) await requireDead(mount, volume, device, { host, ctx });
  for (const _ of dead) await unmountDead(target, host, ctx);
  const request = {
    source: device.path,
    target,
    fsType: access.fsType,
    options: optionsFor(access, volume),
  };
  await host.mounts.mount(request, ctx);
  await requireMounted(volume, device, host, ctx);
  ctx.log.info({ nqn: device.nqn, device: device.path }, "Mounted a volume again");
  return dead;
}

/** What lives may have unwritten data, or is somebody else's. */
async function requireDead(
  mount: Mount,
  { volumeId, stagingPath }: StagedVolume,
  device: BlockDevice,
  { host, ctx }: { readonly host: WatchHost; readonly ctx: Context },
): Promise<void> {
  if (!isMountOf(device, mount) && (await isDeviceGone(mount, host, ctx))) return;
  throw new DriverError(
    "unavailable",
    `Cannot mount volume "${volumeId}" again: a mount of "${mount.source}" (${mount.majorMinor}) at "${stagingPath}" is alive`,
  );
}

/**
 * The dead mount that pods keep has the UUID of the file system, and XFS refuses a second one with it. Nothing
 * can be written through the dead one any more, and the device has been proved to be the volume.
 */
function optionsFor(access: MountAccess, { use, source }: StagedVolume): readonly string[] {
  const options = mountOptions(access, use.accessMode, source !== undefined).filesystem;
  return access.fsType === "xfs" ? [...new Set([...options, "nouuid"])] : options;
}

/** The name may have moved since the proof: what counts is what is mounted now. */
async function requireMounted(
  { target, stagingPath, volumeId }: StagedVolume,
  { path }: BlockDevice,
  host: WatchHost,
  ctx: Context,
): Promise<void> {
  const now = host.connections.observe(target.nqn).device;
  const mount = topmostAt(await host.mounts.list(ctx), stagingPath);
  if (now !== undefined && mount !== undefined && isMountOf(now, mount)) return;
  await host.mounts.unmount(stagingPath, ctx);
  throw new DriverError(
    "unavailable",
    `Cannot mount volume "${volumeId}" again: "${path}" is another device by now`,
  );
}
