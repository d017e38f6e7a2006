import type { Mount } from "#domain/ports/mounts.ts";
import type { PublishedPath, StagedVolume } from "#domain/staged-volume.ts";
import type { Context } from "#lib/context.ts";
import type { NodeHost } from "./host.ts";
import { topmostAt } from "./mount-table.ts";

/**
 * Writes down where a pod is about to get a volume, before it does: the watch shows the volume there again when its
 * device was replaced.
 */
export async function notePublished(
  volume: StagedVolume,
  path: PublishedPath,
  { records }: NodeHost,
  ctx: Context,
): Promise<void> {
  const others = (volume.published ?? []).filter(({ target }) => target !== path.target);
  await records.save({ ...volume, published: [...others, path] }, ctx);
}

/**
 * Forgets a target path that nothing is mounted at any more. A record that cannot be written keeps no pod from
 * going: what is not mounted is not shown again.
 */
export async function forgetPublished(
  volumeId: string,
  target: string,
  { records }: NodeHost,
  ctx: Context,
): Promise<void> {
  try {
    const volume = await records.find(volumeId, ctx);
    if (volume?.published?.some((path) => path.target === target) !== true) return;
    const { published, ...rest } = volume;
    const left = published.filter((path) => path.target !== target);
    await records.save(left.length > 0 ? { ...rest, published: left } : rest, ctx);
  } catch (error) {
    ctx.log.warn({ volumeId, target, error: String(error) }, "Cannot forget a target path");
  }
}

/** Those that have a mount: after a reboot, none. */
export async function stillPublished(
  volume: StagedVolume | undefined,
  { mounts }: NodeHost,
  ctx: Context,
): Promise<readonly PublishedPath[]> {
  const table = await mounts.list(ctx);
  return (volume?.published ?? []).filter(({ target }) => topmostAt(table, target) !== undefined);
}

/** What is mounted at the volume's other target paths, whatever it shows. */
export function mountsForOthers(
  { published = [] }: StagedVolume,
  targetPath: string,
  table: readonly Mount[],
): readonly Mount[] {
  return published
    .filter(({ target }) => target !== targetPath)
    .flatMap(({ target }) => topmostAt(table, target) ?? []);
}
