import type { Appliance, Appliances } from "#domain/ports/appliances.ts";
import type { Volume } from "#domain/volume.ts";
import type { Context } from "#lib/context.ts";
import { idOf } from "./located-volume.ts";
import { type Page, type Paged, pageOf } from "./page.ts";

export interface ListedVolume {
  readonly id: string;
  readonly volume: Volume;
}

/**
 * The volumes of all appliances, ordered by id. One round trip per appliance; when one of them does not
 * answer the call fails, because a list without its volumes would say that they are gone.
 */
export async function listVolumes(
  appliances: Appliances,
  page: Page,
  ctx: Context,
): Promise<Paged<ListedVolume>> {
  const lists = await Promise.all(appliances.all().map((appliance) => volumesOf(appliance, ctx)));
  return pageOf(lists.flat(), page);
}

async function volumesOf(appliance: Appliance, ctx: Context): Promise<ListedVolume[]> {
  const { volumes } = await appliance.volumes.survey(ctx);
  return volumes.map((volume) => ({ id: idOf(volume.slot, appliance), volume }));
}
