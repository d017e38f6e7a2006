import { listVolumes, type Page } from "#controller/list-volumes.ts";
import { DriverError } from "#domain/errors.ts";
import type { Appliances } from "#domain/ports/appliances.ts";
import { parseVolumeId } from "#domain/volume-id.ts";
import type { ListVolumesRequest, ListVolumesResponse } from "../gen/csi.ts";
import type { Handler } from "../handler.ts";
import { wireListedVolume } from "./wire-volume.ts";

/** Tokens name the last id of a page, so that volumes may come and go between two pages. */
const tokenPrefix = "after:";

export function listVolumesHandler(
  appliances: Appliances,
): Handler<ListVolumesRequest, ListVolumesResponse> {
  return async (request, ctx) => {
    const { volumes, complete } = await listVolumes(appliances, pageFrom(request), ctx);
    const last = complete ? undefined : volumes.at(-1);
    const nextToken = last === undefined ? "" : `${tokenPrefix}${last.id}`;
    return { entries: volumes.map(wireListedVolume), nextToken };
  };
}

function pageFrom({ maxEntries, startingToken }: ListVolumesRequest): Page {
  if (maxEntries < 0)
    throw new DriverError(
      "invalid-argument",
      `Cannot list volumes: max_entries is ${maxEntries}, which is negative`,
    );
  if (startingToken === "") return { after: "", maxEntries };
  const after = startingToken.slice(tokenPrefix.length);
  if (startingToken.startsWith(tokenPrefix) && parseVolumeId(after) !== undefined)
    return { after, maxEntries };
  // The kind that becomes ABORTED, with which the CSI spec tells the CO to start over without a token.
  throw new DriverError(
    "operation-pending",
    `Cannot list volumes: starting_token "${startingToken}" is not one of this driver`,
  );
}
