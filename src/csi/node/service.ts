import { type Handler, oneAtATime } from "#csi/handler.ts";
import type { NodeHandlers } from "#csi/service-handlers.ts";
import type { KeyedMutex } from "#lib/keyed-mutex.ts";
import type { NodeHost } from "#node/host.ts";
import { nodeExpandVolume } from "./node-expand-volume.ts";
import { nodeGetCapabilities } from "./node-get-capabilities.ts";
import { type NodeInfo, nodeGetInfo } from "./node-get-info.ts";
import { nodeGetVolumeStats } from "./node-get-volume-stats.ts";
import { nodePublishVolume } from "./node-publish-volume.ts";
import { nodeStageVolume } from "./node-stage-volume.ts";
import { nodeUnpublishVolume } from "./node-unpublish-volume.ts";
import { nodeUnstageVolume } from "./node-unstage-volume.ts";

export interface NodeServiceParts {
  readonly host: NodeHost;
  /** By volume id; shared with whatever else changes volumes on this node. */
  readonly locks: KeyedMutex;
  readonly info: NodeInfo;
}

/** The CSI Node service. Statistics take no lock: a pod must be able to leave while statfs hangs. */
export function nodeHandlers({ host, locks, info }: NodeServiceParts): Required<NodeHandlers> {
  const locked = <Request extends { volumeId: string }, Response>(
    handler: Handler<Request, Response>,
  ) => oneAtATime(locks, (request: Request) => request.volumeId, handler);
  return {
    nodeStageVolume: locked(nodeStageVolume(host)),
    nodeUnstageVolume: locked(nodeUnstageVolume(host)),
    nodePublishVolume: locked(nodePublishVolume(host)),
    nodeUnpublishVolume: locked(nodeUnpublishVolume(host)),
    nodeGetVolumeStats: nodeGetVolumeStats(host),
    nodeExpandVolume: locked(nodeExpandVolume(host)),
    nodeGetCapabilities,
    nodeGetInfo: nodeGetInfo(info),
  };
}
