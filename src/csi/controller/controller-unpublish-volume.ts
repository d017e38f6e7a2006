import { type UnpublishOptions, unpublishVolume } from "#controller/unpublish-volume.ts";
import type {
  ControllerUnpublishVolumeRequest,
  ControllerUnpublishVolumeResponse,
} from "../gen/csi.ts";
import type { Handler } from "../handler.ts";
import { requiredId } from "./required-id.ts";

export function controllerUnpublishVolumeHandler(
  options: UnpublishOptions,
): Handler<ControllerUnpublishVolumeRequest, ControllerUnpublishVolumeResponse> {
  return async ({ volumeId, nodeId }, ctx) => {
    const id = requiredId(volumeId, "volume_id");
    await unpublishVolume(options, { id, node: nodeId === "" ? undefined : nodeId }, ctx);
    return {};
  };
}
