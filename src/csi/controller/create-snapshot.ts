import { createSnapshot } from "#controller/create-snapshot.ts";
import type { Appliances } from "#domain/ports/appliances.ts";
import type { CreateSnapshotRequest, CreateSnapshotResponse } from "../gen/csi.ts";
import type { Handler } from "../handler.ts";
import { requiredId } from "./required-id.ts";
import { wireSnapshot } from "./wire-snapshot.ts";

export function createSnapshotHandler(
  appliances: Appliances,
): Handler<CreateSnapshotRequest, CreateSnapshotResponse> {
  return async ({ name, parameters, ...request }, ctx) => {
    const sourceVolumeId = requiredId(request.sourceVolumeId, "source_volume_id");
    const taken = await createSnapshot({ name, sourceVolumeId, parameters }, appliances, ctx);
    return { snapshot: wireSnapshot(taken) };
  };
}
