import { getSnapshot } from "#controller/list-snapshots.ts";
import type { Appliances } from "#domain/ports/appliances.ts";
import type { GetSnapshotRequest, GetSnapshotResponse } from "../gen/csi.ts";
import type { Handler } from "../handler.ts";
import { requiredId } from "./required-id.ts";
import { wireSnapshot } from "./wire-snapshot.ts";

export function getSnapshotHandler(
  appliances: Appliances,
): Handler<GetSnapshotRequest, GetSnapshotResponse> {
  return async (request, ctx) => {
    const id = requiredId(request.snapshotId, "snapshot_id");
    return { snapshot: wireSnapshot(await getSnapshot(id, appliances, ctx)) };
  };
}
