import { requireLocation, requireVolume } from "#controller/located-volume.ts";
import { requireConsistent } from "#controller/validate-volume.ts";
import { DriverError, isFailure } from "#domain/errors.ts";
import type { Appliances } from "#domain/ports/appliances.ts";
import type {
  ValidateVolumeCapabilitiesRequest,
  ValidateVolumeCapabilitiesResponse,
} from "../gen/csi.ts";
import type { Handler } from "../handler.ts";
import { volumeUseFrom } from "../volume-use.ts";
import { requiredId } from "./required-id.ts";

export function validateVolumeCapabilitiesHandler(
  appliances: Appliances,
): Handler<ValidateVolumeCapabilitiesRequest, ValidateVolumeCapabilitiesResponse> {
  return async (request, ctx) => {
    const id = requiredId(request.volumeId, "volume_id");
    if (request.volumeCapabilities.length === 0)
      throw new DriverError(
        "invalid-argument",
        `Cannot validate volume "${id}": volume_capabilities is empty`,
      );
    await requireVolume(requireLocation(id, appliances), ctx);
    const message = objection(request);
    return { confirmed: message === "" ? confirmationOf(request) : undefined, message };
  };
}

/** What speaks against the request; empty = nothing. */
function objection(request: ValidateVolumeCapabilitiesRequest): string {
  const [mutable] = Object.keys(request.mutableParameters);
  if (mutable !== undefined) return `Mutable parameter "${mutable}" is not supported`;
  try {
    requireConsistent({
      uses: request.volumeCapabilities.map(volumeUseFrom),
      context: request.volumeContext,
      parameters: request.parameters,
    });
    return "";
  } catch (error) {
    if (isFailure(error, "invalid-argument")) return error.message;
    throw error;
  }
}

function confirmationOf(request: ValidateVolumeCapabilitiesRequest) {
  const { volumeContext, volumeCapabilities, parameters } = request;
  return { volumeContext, volumeCapabilities, parameters, mutableParameters: {} };
}
