import type { NodeStageVolumeRequest, NodeStageVolumeResponse } from "#csi/gen/csi.ts";
import type { Handler } from "#csi/handler.ts";
import { volumeUseFrom } from "#csi/volume-use.ts";
import { mkfsOptions } from "#domain/mkfs-options.ts";
import { decodePublishContext } from "#domain/publish-context.ts";
import { parseVolumeParameters } from "#domain/volume-parameters.ts";
import type { NodeHost } from "#node/host.ts";
import { type StageRequest, stage } from "#node/stage.ts";
import { requirePath, requireVolumeId } from "./fields.ts";

export function nodeStageVolume(
  host: NodeHost,
): Handler<NodeStageVolumeRequest, NodeStageVolumeResponse> {
  return async (request, ctx) => {
    await stage(stageRequestFrom(request), host, ctx);
    return {};
  };
}

function stageRequestFrom(request: NodeStageVolumeRequest): StageRequest {
  const volumeId = requireVolumeId(request.volumeId);
  const stagingPath = requirePath(request.stagingTargetPath, "staging_target_path");
  const use = volumeUseFrom(request.volumeCapability);
  const { target, minSizeBytes, source } = decodePublishContext(request.publishContext);
  const parameters = parseVolumeParameters(request.volumeContext);
  return {
    volumeId,
    target,
    minSizeBytes,
    connect: parameters.connect,
    reconnect: parameters.reconnect,
    use,
    stagingPath,
    mkfsOptions:
      use.access.type === "mount" ? mkfsOptions(parameters.mkfsOptions, use.access.fsType) : [],
    ...(source !== undefined && { source }),
  };
}
