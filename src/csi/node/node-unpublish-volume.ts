import type { NodeUnpublishVolumeRequest, NodeUnpublishVolumeResponse } from "#csi/gen/csi.ts";
import type { Handler } from "#csi/handler.ts";
import type { NodeHost } from "#node/host.ts";
import { unpublish } from "#node/unpublish.ts";
import { requirePath, requireVolumeId } from "./fields.ts";

export function nodeUnpublishVolume(
  host: NodeHost,
): Handler<NodeUnpublishVolumeRequest, NodeUnpublishVolumeResponse> {
  return async (request, ctx) => {
    const volumeId = requireVolumeId(request.volumeId);
    const targetPath = requirePath(request.targetPath, "target_path");
    await unpublish({ volumeId, targetPath }, host, ctx);
    return {};
  };
}
