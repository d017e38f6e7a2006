import {
  type ControllerGetCapabilitiesRequest,
  type ControllerGetCapabilitiesResponse,
  ControllerServiceCapability_RPC_Type as Rpc,
} from "../gen/csi.ts";
import type { Handler } from "../handler.ts";

const supported = [
  Rpc.CREATE_DELETE_VOLUME,
  Rpc.PUBLISH_UNPUBLISH_VOLUME,
  Rpc.LIST_VOLUMES,
  Rpc.LIST_VOLUMES_PUBLISHED_NODES,
  Rpc.GET_CAPACITY,
  Rpc.CREATE_DELETE_SNAPSHOT,
  Rpc.LIST_SNAPSHOTS,
  Rpc.GET_SNAPSHOT,
  Rpc.CLONE_VOLUME,
  Rpc.EXPAND_VOLUME,
  Rpc.GET_VOLUME,
  Rpc.VOLUME_CONDITION,
  Rpc.SINGLE_NODE_MULTI_WRITER,
];

export const controllerGetCapabilities: Handler<
  ControllerGetCapabilitiesRequest,
  ControllerGetCapabilitiesResponse
> = async () => ({ capabilities: supported.map((type) => ({ rpc: { type } })) });
