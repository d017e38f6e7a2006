import type { Appliance, Appliances } from "#domain/ports/appliances.ts";
import type { Volume } from "#domain/volume.ts";
import type { Context } from "#lib/context.ts";
import { idOf } from "./located-volume.ts";

export interface ListedVolume {
  readonly id: string;
  readonly volume: Volume;
}

export interface Page {
  /** Volumes with ids behind this one; a volume that was deleted since keeps its place. */
  readonly after: string;
  /** 0 = all. */
  readonly maxEntries: number;
}

/**
 * The volumes of all appliances, ordered by id. One round trip per appliance; when one of them does not
 * answer the call fails, because a list without its volumes would say that they are gone.
 */
export async function listVolumes(
  appliances: Appliances,
  { after, maxEntries }: Page,
  ctx: Context,
): Promise<{ readonly volumes: readonly ListedVolume[]; readonly complete: boolean }> {
  const lists = await Promise.all(appliances.all().map((appliance) => volumesOf(appliance, ctx)));
  const behind = lists.flat().filter(({ id }) => id > after);
  const volumes = behind.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const end = maxEntries === 0 ? volumes.length : maxEntries;
  return { volumes: volumes.slice(0, end), complete: end >= volumes.length };
}

async function volumesOf(appliance: Appliance, ctx: Context): Promise<ListedVolume[]> {
  const { volumes } = await appliance.volumes.survey(ctx);
  return volumes.map((volume) => ({ id: idOf(volume.slot, appliance), volume }));
}
