import type { NodePublishVolumeRequest, NodePublishVolumeResponse } from "#csi/gen/csi.ts";
import type { Handler } from "#csi/handler.ts";
import { volumeUseFrom } from "#csi/volume-use.ts";
import type { NodeHost } from "#node/host.ts";
import { publish } from "#node/publish.ts";
import { requirePath, requireVolumeId } from "./fields.ts";

export function nodePublishVolume(
  host: NodeHost,
): Handler<NodePublishVolumeRequest, NodePublishVolumeResponse> {
  return async (request, ctx) => {
    const volumeId = requireVolumeId(request.volumeId);
    const targetPath = requirePath(request.targetPath, "target_path");
    const use = volumeUseFrom(request.volumeCapability);
    const stagingPath = requirePath(request.stagingTargetPath, "staging_target_path");
    const { readonly: readOnly } = request;
    await publish({ volumeId, stagingPath, targetPath, use, readOnly }, host, ctx);
    return {};
  };
}
