import { listVolumes } from "#controller/list-volumes.ts";
import type { Appliances } from "#domain/ports/appliances.ts";
import { parseVolumeId } from "#domain/volume-id.ts";
import type { ListVolumesRequest, ListVolumesResponse } from "../gen/csi.ts";
import type { Handler } from "../handler.ts";
import { nextTokenOf, pageFrom } from "./page-token.ts";
import { wireListedVolume } from "./wire-volume.ts";

export function listVolumesHandler(
  appliances: Appliances,
): Handler<ListVolumesRequest, ListVolumesResponse> {
  return async (request, ctx) => {
    const page = pageFrom(request, { things: "volumes", isId });
    const listed = await listVolumes(appliances, page, ctx);
    return { entries: listed.entries.map(wireListedVolume), nextToken: nextTokenOf(listed) };
  };
}

function isId(text: string): boolean {
  return parseVolumeId(text) !== undefined;
}
