import type {
  CapacityRange,
  NodeExpandVolumeRequest,
  NodeExpandVolumeResponse,
} from "#csi/gen/csi.ts";
import type { Handler } from "#csi/handler.ts";
import { DriverError } from "#domain/errors.ts";
import { expand } from "#node/expand.ts";
import type { NodeHost } from "#node/host.ts";
import { requireText, requireVolumeId } from "./fields.ts";

/** The path is not checked for its form: kubelet names no real path for some raw block volumes. */
export function nodeExpandVolume(
  host: NodeHost,
): Handler<NodeExpandVolumeRequest, NodeExpandVolumeResponse> {
  return async (request, ctx) => {
    const volumeId = requireVolumeId(request.volumeId);
    const volumePath = requireText(request.volumePath, "volume_path");
    const range = limitsFrom(request.capacityRange);
    const capacityBytes = await expand({ volumeId, volumePath, ...range }, host, ctx);
    return { capacityBytes };
  };
}

function limitsFrom(range: CapacityRange | undefined) {
  const { requiredBytes, limitBytes } = range ?? { requiredBytes: 0, limitBytes: 0 };
  if (requiredBytes < 0 || limitBytes < 0 || (limitBytes > 0 && requiredBytes > limitBytes))
    throw new DriverError(
      "out-of-range",
      `Cannot expand to required_bytes ${requiredBytes}, limit_bytes ${limitBytes}: no size fits`,
    );
  return { requiredBytes: requiredBytes || undefined, limitBytes: limitBytes || undefined };
}
