import { DriverError } from "#domain/errors.ts";
import type { StagedVolume } from "#domain/staged-volume.ts";
import type { Context } from "#lib/context.ts";
import { mountsOf, refuseInUse, refuseMounted } from "./device-users.ts";
import type { NodeHost } from "./host.ts";
import { isSameFilesystem, mountsAt } from "./mount-table.ts";
import { unmountAll } from "./unmount.ts";

/**
 * Takes a volume off this node: unmounts its staging path, disconnects the NQN that its record names (and no
 * other), and forgets the record last. Success means that the kernel has neither mount nor controller left;
 * the volume may then be written to elsewhere.
 * @throws {DriverError} `failed-precondition` while it is published, `unavailable` while it is busy or when
 * the connection would not go.
 */
export async function release(volume: StagedVolume, host: NodeHost, ctx: Context): Promise<void> {
  const act = `unstage volume "${volume.volumeId}"`;
  await refusePublished(volume, act, { host, ctx });
  await clearStagingPath(volume.stagingPath, act, host, ctx);
  const device = await host.initiator.findDevice(volume.target.nqn, ctx);
  if (device !== undefined) await refuseInUse(device, act, host, ctx);
  if (volume.phase === "formatting")
    ctx.log.warn(
      { nqn: volume.target.nqn },
      "Letting go of a volume that was never fully formatted",
    );
  await host.initiator.disconnect(volume.target.nqn, ctx);
  await proveGone(volume, host, ctx);
  await host.records.remove(volume.volumeId, ctx);
}

/**
 * Unmounts whatever is staged at `path`.
 * @throws {DriverError} `failed-precondition` while the same file system is mounted elsewhere too.
 */
export async function clearStagingPath(
  path: string,
  act: string,
  host: NodeHost,
  ctx: Context,
): Promise<void> {
  const mounts = await host.mounts.list(ctx);
  const staged = mountsAt(mounts, path);
  const published = mounts.filter(
    (mount) => mount.target !== path && staged.some((other) => isSameFilesystem(mount, other)),
  );
  refuseMounted(published, act);
  await unmountAll(path, host, ctx);
}

/** Before anything is touched: kubelet calls in order, but a pod must survive somebody who does not. */
async function refusePublished(
  { target, stagingPath }: StagedVolume,
  act: string,
  { host, ctx }: { readonly host: NodeHost; readonly ctx: Context },
): Promise<void> {
  const device = await host.initiator.findDevice(target.nqn, ctx);
  if (device === undefined) return;
  const mounts = await mountsOf(device, host, ctx);
  refuseMounted(
    mounts.filter((mount) => mount.target !== stagingPath),
    act,
  );
}

async function proveGone(
  { volumeId, target }: StagedVolume,
  { initiator }: NodeHost,
  ctx: Context,
): Promise<void> {
  const device = await initiator.findDevice(target.nqn, ctx);
  if (device === undefined) return;
  throw new DriverError(
    "unavailable",
    `Cannot unstage volume "${volumeId}": "${device.path}" is still connected to "${target.nqn}"`,
  );
}
