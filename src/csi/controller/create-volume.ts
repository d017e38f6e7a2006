import {
  type CreateVolumeOptions,
  createVolume,
  type VolumeOrder,
} from "#controller/create-volume.ts";
import { DriverError } from "#domain/errors.ts";
import type { CreateVolumeRequest, CreateVolumeResponse } from "../gen/csi.ts";
import type { Handler } from "../handler.ts";
import { volumeUseFrom } from "../volume-use.ts";
import { contentSourceFrom } from "./content-source.ts";
import { sizeRangeFrom } from "./size-range.ts";
import { wireVolume } from "./wire-volume.ts";

/** Topology requirements are passed over: the plugin does not announce them, and every node reaches the appliance. */
export function createVolumeHandler(
  options: CreateVolumeOptions,
): Handler<CreateVolumeRequest, CreateVolumeResponse> {
  return async (request, ctx) => {
    refuseWhatIsNotAnnounced(request);
    const created = await createVolume(options, orderFrom(request), ctx);
    return { volume: wireVolume({ ...created, source: request.volumeContentSource }) };
  };
}

function orderFrom(request: CreateVolumeRequest): VolumeOrder {
  return {
    name: request.name,
    size: sizeRangeFrom(request.capacityRange),
    uses: request.volumeCapabilities.map(volumeUseFrom),
    parameters: request.parameters,
    source: contentSourceFrom(request.volumeContentSource),
  };
}

function refuseWhatIsNotAnnounced({ mutableParameters }: CreateVolumeRequest) {
  const [mutable] = Object.keys(mutableParameters);
  if (mutable === undefined) return;
  throw new DriverError(
    "invalid-argument",
    `Cannot create a volume with mutable parameter "${mutable}": changing volumes is not supported`,
  );
}
