import type { NodeUnstageVolumeRequest, NodeUnstageVolumeResponse } from "#csi/gen/csi.ts";
import type { Handler } from "#csi/handler.ts";
import type { NodeHost } from "#node/host.ts";
import { unstage } from "#node/unstage.ts";
import { requirePath, requireVolumeId } from "./fields.ts";

export function nodeUnstageVolume(
  host: NodeHost,
): Handler<NodeUnstageVolumeRequest, NodeUnstageVolumeResponse> {
  return async (request, ctx) => {
    const volumeId = requireVolumeId(request.volumeId);
    const stagingPath = requirePath(request.stagingTargetPath, "staging_target_path");
    await unstage({ volumeId, stagingPath }, host, ctx);
    return {};
  };
}
