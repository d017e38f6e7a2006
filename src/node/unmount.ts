import { DriverError, isFailure } from "#domain/errors.ts";
import type { Mount } from "#domain/ports/mounts.ts";
import { type Context, withTimeout } from "#lib/context.ts";
import type { NodeHost } from "./host.ts";
import { hasAnonymousNumber, mountsAt, topmostAt } from "./mount-table.ts";

/** More mounts than any series of retries stacks on one path. */
const mostStacked = 1_000;

/**
 * Unmounts until mountinfo shows nothing at `path` any more: retried publishes stack mounts.
 * @throws {DriverError} `unavailable` while the mount is busy.
 */
export async function unmountAll(path: string, host: NodeHost, ctx: Context): Promise<void> {
  for (let count = 0; count < mostStacked; count++) {
    const mount = topmostAt(await host.mounts.list(ctx), path);
    if (mount === undefined) return;
    await unmountOrDetach(mount, host, ctx);
  }
  throw new DriverError(
    "unavailable",
    `Cannot unmount "${path}": still mounted after ${mostStacked} unmounts`,
  );
}

/**
 * The same for the mounts of a hold that has ended: one that is busy may go, too, for the hold itself tells who
 * still uses it.
 */
export async function unmountOrDetachAll(
  path: string,
  host: NodeHost,
  ctx: Context,
): Promise<void> {
  try {
    await unmountAll(path, host, ctx);
  } catch (error) {
    if (!isFailure(error, "unavailable") || ctx.signal.aborted) throw error;
    ctx.log.warn({ path, reason: error.message }, "Detaching a mount that is busy and has no disk");
    for (const { target } of mountsAt(await host.mounts.list(ctx), path))
      await host.mounts.detach(target, ctx);
  }
}

/** A mount whose device has left the kernel has nothing to flush: it may go even while somebody uses it. */
async function unmountOrDetach(mount: Mount, host: NodeHost, ctx: Context): Promise<void> {
  try {
    await host.mounts.unmount(mount.target, ctx);
  } catch (error) {
    if (!isFailure(error, "unavailable") || ctx.signal.aborted) throw error;
    if (!(await isDeviceGone(mount, host, ctx))) throw error;
    ctx.log.warn(
      { target: mount.target, device: mount.source, reason: error.message },
      "Detaching a mount that is busy and whose device is gone",
    );
    await host.mounts.detach(mount.target, ctx);
  }
}

/** A mount that is dead has nothing to write back. */
const deadLimitMs = 10_000;

/**
 * Takes away the topmost mount at `path`, which must be dead: its device has left the kernel. An unmount that does
 * not end in time, or finds it busy, is followed by a lazy one, so that no caller waits for what a dead file system
 * does in the kernel.
 */
export async function unmountDead(path: string, host: NodeHost, ctx: Context): Promise<void> {
  try {
    using limited = withTimeout(ctx, deadLimitMs);
    await host.mounts.unmount(path, limited);
  } catch (error) {
    if (!(error instanceof DriverError) || ctx.signal.aborted) throw error;
    ctx.log.warn(
      { path, reason: error.message },
      "Detaching a dead mount that cannot be unmounted",
    );
    await host.mounts.detach(path, ctx);
  }
}

/** Gone for good. A device that waits for its reconnection still has its node, and its number. */
export async function isDeviceGone(
  mount: Mount,
  { devices }: NodeHost,
  ctx: Context,
): Promise<boolean> {
  if (!mount.source.startsWith("/dev/")) return false;
  const number = await devices.majorMinorOf(mount.source, ctx);
  if (number === undefined) return true;
  return !hasAnonymousNumber(mount) && number !== mount.majorMinor;
}
