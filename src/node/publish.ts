import { accessModes, type VolumeUse } from "#domain/access-mode.ts";
import type { BlockDevice } from "#domain/block-device.ts";
import { DriverError } from "#domain/errors.ts";
import type { BindRequest, Mount } from "#domain/ports/mounts.ts";
import type { Context } from "#lib/context.ts";
import { mountsOf } from "./device-users.ts";
import type { NodeHost } from "./host.ts";
import { mountOptions } from "./mount-options.ts";
import { isMountOf, topmostAt } from "./mount-table.ts";
import { refuseSecond, requireSame, verifyPublished } from "./publish-rules.ts";
import { forgetPublished, mountsForOthers, notePublished } from "./published.ts";
import { requireStaged } from "./staged.ts";
import { Undo } from "./undo.ts";
import { clearTarget } from "./unpublish.ts";
import { requireDisk } from "./volume-disk.ts";

export interface PublishRequest {
  readonly volumeId: string;
  readonly stagingPath: string;
  readonly targetPath: string;
  readonly use: VolumeUse;
  readonly readOnly: boolean;
}

/**
 * Gives a staged volume to a pod: its file system, or its device node, bind-mounted at the target path.
 * A correct mount that is there already is success, so that retries never stack.
 * @throws {DriverError} `failed-precondition` when the volume is not staged or may not be published twice,
 * `already-exists` when something else is at the target path, `unavailable` when the device is gone.
 */
export async function publish(
  request: PublishRequest,
  host: NodeHost,
  ctx: Context,
): Promise<void> {
  const volume = await requireStaged(request, host, ctx);
  const { target } = volume;
  const device = await requireDisk(target.nqn, host, ctx);
  const bind = await bindRequest(request, device, host, ctx);
  const readOnly = bind.options.includes("ro");
  const mounts = await mountsOf(device, host, ctx);
  const table = await host.mounts.list(ctx);
  const existing = topmostAt(table, request.targetPath);
  if (existing !== undefined) return requireSame(existing, { request, mounts, readOnly });
  const others = unique([
    ...mounts.filter((mount) => mount.target !== request.stagingPath),
    ...mountsForOthers(volume, request.targetPath, table),
  ]);
  refuseSecond({ request, mounts: others, readOnly });
  await using undo = new Undo(ctx);
  const { volumeId, targetPath } = request;
  undo.add(async (undoCtx) => {
    await clearTarget(targetPath, host, undoCtx);
    await forgetPublished(volumeId, targetPath, host, undoCtx);
  });
  await notePublished(volume, { target: targetPath, options: bind.options }, host, ctx);
  if (request.use.access.type === "block" && others.length === 0)
    await host.devices.setReadOnly(device.path, readOnly, ctx);
  await makeTarget(request, host, ctx);
  await host.mounts.bind(bind, ctx);
  await verifyPublished(targetPath, target.nqn, host, ctx);
  undo.keep();
  ctx.log.info({ ...bind, device: device.path }, "Published a volume");
}

/** By target path: a pod whose mount is dead counts as well. */
function unique(mounts: readonly Mount[]): readonly Mount[] {
  return [...new Map(mounts.map((mount) => [mount.target, mount])).values()];
}

async function bindRequest(
  { use, stagingPath, targetPath, readOnly }: PublishRequest,
  device: BlockDevice,
  host: NodeHost,
  ctx: Context,
): Promise<BindRequest> {
  const { access, accessMode } = use;
  const ro = readOnly || !accessModes[accessMode].writes ? ["ro"] : [];
  if (access.type === "block") return { source: device.path, target: targetPath, options: ro };
  await requireMounted(stagingPath, device, host, ctx);
  const options = new Set([...mountOptions(access, accessMode).bind, ...ro]);
  return { source: stagingPath, target: targetPath, options: [...options] };
}

/** A bind mount of an unmounted or stale staging path would hand the pod an empty folder, or a dead one. */
async function requireMounted(
  stagingPath: string,
  device: BlockDevice,
  host: NodeHost,
  ctx: Context,
): Promise<void> {
  const staged = topmostAt(await host.mounts.list(ctx), stagingPath);
  if (staged !== undefined && isMountOf(device, staged)) return;
  const found = staged === undefined ? "nothing" : `"${staged.source}" (${staged.majorMinor})`;
  throw new DriverError(
    "failed-precondition",
    `Cannot publish "${device.path}" (${device.majorMinor}): "${stagingPath}" has ${found} mounted`,
  );
}

async function makeTarget(
  { use, targetPath }: PublishRequest,
  { paths }: NodeHost,
  ctx: Context,
): Promise<void> {
  if (use.access.type === "block") await paths.ensureFile(targetPath, ctx);
  else await paths.ensureDirectory(targetPath, ctx);
}
