import {
  type NodeGetVolumeStatsRequest,
  type NodeGetVolumeStatsResponse,
  VolumeUsage_Unit as Unit,
  type VolumeUsage as WireUsage,
} from "#csi/gen/csi.ts";
import type { Handler } from "#csi/handler.ts";
import type { NodeHost } from "#node/host.ts";
import { stats, type VolumeUsage } from "#node/stats.ts";
import { requireText, requireVolumeId } from "./fields.ts";

export function nodeGetVolumeStats(
  host: NodeHost,
): Handler<NodeGetVolumeStatsRequest, NodeGetVolumeStatsResponse> {
  return async (request, ctx) => {
    const volumeId = requireVolumeId(request.volumeId);
    // Only compared with mountinfo: a path of any other form is one where nothing is mounted (NOT_FOUND).
    const volumePath = requireText(request.volumePath, "volume_path");
    const { usage, condition } = await stats({ volumeId, volumePath }, host, ctx);
    return { usage: toWire(usage), volumeCondition: condition };
  };
}

function toWire(usage: VolumeUsage): WireUsage[] {
  if (usage.kind === "none") return [];
  if (usage.kind === "block")
    return [{ total: usage.totalBytes, available: 0, used: 0, unit: Unit.BYTES }];
  const { totalBytes, availableBytes, usedBytes, totalInodes, freeInodes } = usage;
  return [
    { total: totalBytes, available: availableBytes, used: usedBytes, unit: Unit.BYTES },
    {
      total: totalInodes,
      available: freeInodes,
      used: totalInodes - freeInodes,
      unit: Unit.INODES,
    },
  ];
}
