import {
  type NodeGetCapabilitiesRequest,
  type NodeGetCapabilitiesResponse,
  NodeServiceCapability_RPC_Type as Type,
} from "#csi/gen/csi.ts";
import type { Handler } from "#csi/handler.ts";

const capabilities = [
  Type.STAGE_UNSTAGE_VOLUME,
  Type.GET_VOLUME_STATS,
  Type.EXPAND_VOLUME,
  Type.VOLUME_CONDITION,
  Type.SINGLE_NODE_MULTI_WRITER,
];

export const nodeGetCapabilities: Handler<
  NodeGetCapabilitiesRequest,
  NodeGetCapabilitiesResponse
> = async () => ({ capabilities: capabilities.map((type) => ({ rpc: { type } })) });
