import { requireLocation, requireVolume } from "#controller/located-volume.ts";
import type { Appliances } from "#domain/ports/appliances.ts";
import type { ControllerGetVolumeRequest, ControllerGetVolumeResponse } from "../gen/csi.ts";
import type { Handler } from "../handler.ts";
import { requiredId } from "./required-id.ts";
import { wireListedVolume } from "./wire-volume.ts";

export function controllerGetVolumeHandler(
  appliances: Appliances,
): Handler<ControllerGetVolumeRequest, ControllerGetVolumeResponse> {
  return async (request, ctx) => {
    const id = requiredId(request.volumeId, "volume_id");
    const volume = await requireVolume(requireLocation(id, appliances), ctx);
    return wireListedVolume({ id, volume });
  };
}
