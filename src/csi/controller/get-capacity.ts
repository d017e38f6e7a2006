import { commonAccess } from "#controller/common-access.ts";
import { getCapacity } from "#controller/get-capacity.ts";
import type { VolumeUse } from "#domain/access-mode.ts";
import { isFailure } from "#domain/errors.ts";
import type { Appliances } from "#domain/ports/appliances.ts";
import type { GetCapacityRequest, GetCapacityResponse, VolumeCapability } from "../gen/csi.ts";
import type { Handler } from "../handler.ts";
import { volumeUseFrom } from "../volume-use.ts";

/** Topology is not announced, so `accessible_topology` says nothing here. */
export function getCapacityHandler(
  appliances: Appliances,
): Handler<GetCapacityRequest, GetCapacityResponse> {
  return async ({ volumeCapabilities, parameters }, ctx) => {
    const uses = supportedUses(volumeCapabilities);
    if (uses === undefined)
      return { availableCapacity: 0, maximumVolumeSize: 0, minimumVolumeSize: undefined };
    const capacity = await getCapacity({ uses, parameters }, appliances, ctx);
    return {
      availableCapacity: capacity.available,
      maximumVolumeSize: capacity.maximum,
      minimumVolumeSize: capacity.minimum,
    };
  };
}

/** @returns `undefined` for a use that no volume of this driver supports: there is no room for those. */
function supportedUses(capabilities: readonly VolumeCapability[]): VolumeUse[] | undefined {
  try {
    const uses = capabilities.map(volumeUseFrom);
    if (uses.length > 0) commonAccess(uses);
    return uses;
  } catch (error) {
    if (isFailure(error, "invalid-argument")) return undefined;
    throw error;
  }
}
