import { type ExpandVolumeOptions, expandVolume } from "#controller/expand-volume.ts";
import { DriverError } from "#domain/errors.ts";
import type { ControllerExpandVolumeRequest, ControllerExpandVolumeResponse } from "../gen/csi.ts";
import type { Handler } from "../handler.ts";
import { volumeUseFrom } from "../volume-use.ts";
import { requiredId } from "./required-id.ts";
import { sizeRangeFrom } from "./size-range.ts";

/**
 * The node has always work to do, also for raw block and when nothing grew here: its block device grows
 * only there, and the reply to an earlier try may have been lost.
 */
export function controllerExpandVolumeHandler(
  options: ExpandVolumeOptions,
): Handler<ControllerExpandVolumeRequest, ControllerExpandVolumeResponse> {
  return async (request, ctx) => {
    const id = requiredId(request.volumeId, "volume_id");
    const size = sizeRangeFrom(request.capacityRange);
    if (size.requiredBytes === 0 && size.limitBytes === 0)
      throw new DriverError(
        "invalid-argument",
        `Cannot expand volume "${id}": capacity_range is missing`,
      );
    if (request.volumeCapability !== undefined) volumeUseFrom(request.volumeCapability);
    const capacityBytes = await expandVolume({ id, size }, options, ctx);
    return { capacityBytes, nodeExpansionRequired: true };
  };
}
