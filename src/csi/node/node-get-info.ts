import type { NodeGetInfoRequest, NodeGetInfoResponse } from "#csi/gen/csi.ts";
import type { Handler } from "#csi/handler.ts";

export interface NodeInfo {
  /** As `ControllerPublishVolume` will name this node. */
  readonly nodeId: string;
  /** 0 = the CO decides. */
  readonly maxVolumesPerNode: number;
}

export function nodeGetInfo({
  nodeId,
  maxVolumesPerNode,
}: NodeInfo): Handler<NodeGetInfoRequest, NodeGetInfoResponse> {
  return async () => ({ nodeId, maxVolumesPerNode, accessibleTopology: undefined });
}
