import type { BlockDevice } from "#domain/block-device.ts";
import type { PublishedPath, StagedVolume } from "#domain/staged-volume.ts";
import type { Context } from "#lib/context.ts";
import { mountsAt } from "../mount-table.ts";
import { verifyPublished } from "../publish-rules.ts";
import { Undo } from "../undo.ts";
import { unmountAll, unmountDead } from "../unmount.ts";
import type { WatchHost } from "./host.ts";
import type { Outcome } from "./outcome.ts";
import { type ShownVolume, stalePaths } from "./stale-paths.ts";

interface Returned extends ShownVolume {
  readonly device: BlockDevice;
}

/**
 * Lets the target paths of pods show a volume that is back under another device. One that fails does not keep the
 * others from it.
 * @throws {DriverError} the first failure.
 */
export async function showAgain(
  returned: Returned,
  host: WatchHost,
  ctx: Context,
): Promise<Outcome> {
  const stale = await stalePaths(returned, host, ctx);
  if (stale.length === 0) return {};
  const volume = await noteDead(returned.volume, stale, host, ctx);
  const failures: unknown[] = [];
  for (const path of stale)
    await show(path, { ...returned, volume }, host, ctx).catch((error) => failures.push(error));
  if (failures.length > 0) throw failures[0];
  const targets = stale.map(({ target }) => target);
  ctx.log.warn(
    { targets },
    "Pods have a volume again under another device; what they opened before, and containers that do not follow mounts of the host, keep a dead one until they are restarted",
  );
  return {};
}

/** @returns the record as it is now. */
export async function noteDead(
  volume: StagedVolume,
  dead: readonly PublishedPath[],
  { records, clock }: WatchHost,
  ctx: Context,
): Promise<StagedVolume> {
  const deadSince = clock.now().toISOString();
  const targets = new Set(dead.map(({ target }) => target));
  const published = (volume.published ?? []).map((path) =>
    targets.has(path.target) ? { ...path, deadSince } : path,
  );
  const noted = { ...volume, published };
  await records.save(noted, ctx);
  return noted;
}

async function show(
  path: PublishedPath,
  { volume, device }: Returned,
  host: WatchHost,
  ctx: Context,
): Promise<void> {
  const { target, options } = path;
  if (volume.use.access.type === "block") await replaceNode(path, device, host, ctx);
  else await coverMount(path, volume, host, ctx);
  await using undo = new Undo(ctx);
  undo.add((undoCtx) => host.mounts.unmount(target, undoCtx));
  await verifyPublished(target, volume.target.nqn, host, ctx);
  undo.keep();
  ctx.log.info({ target, options, device: device.path }, "Published a volume again");
}

/**
 * A mount over the dead one reaches containers that follow the host's mounts, which an unmount would not; and at no
 * time does a container that starts find an empty folder of the host there. Of several dead ones only the first is
 * kept: the others were such covers.
 */
async function coverMount(
  { target, options }: PublishedPath,
  { stagingPath }: StagedVolume,
  host: WatchHost,
  ctx: Context,
): Promise<void> {
  const covers = mountsAt(await host.mounts.list(ctx), target).slice(1);
  for (const _ of covers) await unmountDead(target, host, ctx);
  await host.mounts.bind({ source: stagingPath, target, options }, ctx);
}

/**
 * A node is replaced, since its number may become that of another device. Containers have nodes of their own: theirs
 * goes on leading to the old number.
 */
async function replaceNode(
  { target, options }: PublishedPath,
  device: BlockDevice,
  host: WatchHost,
  ctx: Context,
): Promise<void> {
  await host.devices.setReadOnly(device.path, options.includes("ro"), ctx);
  await unmountAll(target, host, ctx);
  await host.mounts.bind({ source: device.path, target, options }, ctx);
}

/** Takes away nodes that lead to another device by now; the volume is shown there again when it is back. */
export async function withdraw(
  volume: StagedVolume,
  strays: readonly PublishedPath[],
  host: WatchHost,
  ctx: Context,
): Promise<void> {
  await noteDead(volume, strays, host, ctx);
  for (const { target } of strays) {
    await unmountAll(target, host, ctx);
    ctx.log.error(
      { target },
      "Took a device node away from a pod: its volume is gone, and the kernel has given its number to another device",
    );
  }
}
