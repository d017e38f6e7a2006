import { deleteVolume } from "#controller/delete-volume.ts";
import type { Appliances } from "#domain/ports/appliances.ts";
import type { DeleteVolumeRequest, DeleteVolumeResponse } from "../gen/csi.ts";
import type { Handler } from "../handler.ts";
import { requiredId } from "./required-id.ts";

export function deleteVolumeHandler(
  appliances: Appliances,
): Handler<DeleteVolumeRequest, DeleteVolumeResponse> {
  return async (request, ctx) => {
    await deleteVolume(requiredId(request.volumeId, "volume_id"), appliances, ctx);
    return {};
  };
}
