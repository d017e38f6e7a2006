import type { BlockDevice } from "#domain/block-device.ts";
import { DriverError } from "#domain/errors.ts";
import type { Nqn } from "#domain/nqn.ts";
import type { Hold } from "#domain/ports/device-mapper.ts";
import type { Context } from "#lib/context.ts";
import { mountsOf, refuseMounted } from "./device-users.ts";
import type { HoldingHost, NodeHost } from "./host.ts";
import { removeUnstaged } from "./release-hold.ts";
import type { Staging } from "./staging.ts";
import { liesOn, requireDisk, type VolumeDisk } from "./volume-disk.ts";

/**
 * Puts the device of a volume that is being staged under its hold, if it is to have one; the hold of an earlier
 * call or life is taken over. A device that is mounted without one stays so: pods keep what they have.
 * Its undo removes the hold, unless somebody uses it.
 * @throws {DriverError} `unavailable` while the volume's hold waits on another device and is in use; else as
 * `DeviceMapper.create`.
 */
export async function holdDevice(
  device: BlockDevice,
  { host, undo, resumed, wantsHold }: Staging,
  ctx: Context,
): Promise<VolumeDisk> {
  const { holds } = host;
  const before = await holds?.find(device.nqn, ctx);
  // one that is there is used in any case
  if (holds === undefined || (before === undefined && !wantsHold)) return device;
  if (before === undefined && (await isMounted(device, host, ctx))) return device;
  if (before === undefined || resumed)
    undo.add((undoCtx) => removeIfUnused(device.nqn, { ...host, holds }, undoCtx));
  if (before !== undefined)
    await takeOver(before, device, { host: { ...host, holds }, resumed }, ctx);
  const { path, majorMinor } = await holds.create(device, ctx);
  if (before === undefined)
    ctx.log.info({ hold: path, majorMinor, device: device.path }, "Holding a volume");
  return await fillHold(await requireDisk(device.nqn, host, ctx), host, ctx);
}

/** Lets a hold be as large as the device that it lies on; without a hold the disk is that already. */
export async function fillHold(
  disk: VolumeDisk,
  host: NodeHost,
  ctx: Context,
): Promise<VolumeDisk> {
  const { nqn, under } = disk;
  if (host.holds === undefined || under === undefined || disk.sizeBytes >= under.sizeBytes)
    return disk;
  await host.holds.grow(under, ctx);
  ctx.log.info({ hold: disk.path, sizeBytes: under.sizeBytes }, "Grew the hold of a volume");
  return await requireDisk(nqn, host, ctx);
}

/**
 * Lets a tool fail that waits in a hold although its device is there, because of a block that cannot be read, or of as
 * many outages as it has paths. The watch, which tries failed paths again, looks after staged volumes only.
 */
export async function failWithoutPath(
  { nqn, path, under }: VolumeDisk,
  { holds }: NodeHost,
  ctx: Context,
): Promise<void> {
  if (holds === undefined || under === undefined) return;
  if ((await holds.status(nqn, ctx)).paths.includes("active")) return;
  ctx.log.warn({ nqn, hold: path }, "Ending a hold without a path: a tool waits in it");
  await holds.failQueue(nqn, ctx);
}

async function isMounted(device: BlockDevice, host: NodeHost, ctx: Context): Promise<boolean> {
  if ((await mountsOf(device, host, ctx)).length === 0) return false;
  ctx.log.info(
    { device: device.path },
    "A volume goes on without a hold: it was mounted without one",
  );
  return true;
}

/** One that waits elsewhere and has no user holds no data: it is made anew. */
async function takeOver(
  hold: Hold,
  device: BlockDevice,
  { host, resumed }: { readonly host: HoldingHost; readonly resumed: boolean },
  ctx: Context,
): Promise<void> {
  const { nqn, path } = hold;
  if (await liesOn(hold, device, host, ctx)) {
    if (hold.suspended) await host.holds.resume(nqn, ctx);
    return;
  }
  if ((await mountsOf(hold, host, ctx)).length > 0)
    throw new DriverError(
      "unavailable",
      `Cannot stage "${nqn}" on "${device.path}" (${device.majorMinor}): its hold "${path}" is in use and has not been put on it yet`,
    );
  if (resumed) await removeUnstaged(hold, host, ctx);
  else await host.holds.remove(nqn, ctx);
}

async function removeIfUnused(nqn: Nqn, host: HoldingHost, ctx: Context): Promise<void> {
  const hold = await host.holds.find(nqn, ctx);
  if (hold === undefined) return;
  refuseMounted(await mountsOf(hold, host, ctx), `remove the hold of "${nqn}"`);
  await removeUnstaged(hold, host, ctx);
}
