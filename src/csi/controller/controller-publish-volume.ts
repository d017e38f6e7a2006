import type { Publisher } from "#controller/publish-volume.ts";
import { DriverError } from "#domain/errors.ts";
import { encodePublishContext } from "#domain/publish-context.ts";
import type {
  ControllerPublishVolumeRequest,
  ControllerPublishVolumeResponse,
} from "../gen/csi.ts";
import type { Handler } from "../handler.ts";
import { volumeUseFrom } from "../volume-use.ts";
import { requiredId } from "./required-id.ts";

export function controllerPublishVolumeHandler(
  publisher: Publisher,
): Handler<ControllerPublishVolumeRequest, ControllerPublishVolumeResponse> {
  return async (request, ctx) => {
    const id = requiredId(request.volumeId, "volume_id");
    const node = requiredId(request.nodeId, "node_id");
    const { accessMode: mode } = volumeUseFrom(request.volumeCapability);
    if (request.readonly)
      throw new DriverError(
        "invalid-argument",
        `Cannot publish volume "${id}" with the readonly flag: PUBLISH_READONLY is not supported`,
      );
    const context = await publisher.publish({ id, node, mode }, ctx);
    return { publishContext: encodePublishContext(context) };
  };
}
