import { deleteSnapshot } from "#controller/delete-snapshot.ts";
import type { Appliances } from "#domain/ports/appliances.ts";
import type { DeleteSnapshotRequest, DeleteSnapshotResponse } from "../gen/csi.ts";
import type { Handler } from "../handler.ts";
import { requiredId } from "./required-id.ts";

export function deleteSnapshotHandler(
  appliances: Appliances,
): Handler<DeleteSnapshotRequest, DeleteSnapshotResponse> {
  return async (request, ctx) => {
    await deleteSnapshot(requiredId(request.snapshotId, "snapshot_id"), appliances, ctx);
    return {};
  };
}
