import type { Context } from "#lib/context.ts";
import type { NodeHost } from "./host.ts";
import { release } from "./release.ts";
import { unmountAll } from "./unmount.ts";
import { unstageUnrecorded } from "./unstage-unrecorded.ts";

export interface UnstageRequest {
  readonly volumeId: string;
  readonly stagingPath: string;
}

/** Takes a volume off this node. */
export async function unstage(
  { volumeId, stagingPath }: UnstageRequest,
  host: NodeHost,
  ctx: Context,
): Promise<void> {
  const volume = await host.records.find(volumeId, ctx);
  if (volume === undefined) return await unstageUnrecorded({ volumeId, stagingPath }, host, ctx);
  if (volume.stagingPath !== stagingPath) await unmountAll(stagingPath, host, ctx);
  await release(volume, "keep", host, ctx);
  ctx.log.info({ volumeId, nqn: volume.target.nqn }, "Unstaged a volume");
}
