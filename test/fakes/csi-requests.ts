import {
  type ControllerPublishVolumeRequest,
  type CreateVolumeRequest,
  VolumeCapability_AccessMode_Mode as Mode,
  type VolumeCapability,
} from "#csi/gen/csi.ts";

/** A file system for one writer. */
export function mountCapability(
  fsType = "",
  mode: Mode = Mode.SINGLE_NODE_WRITER,
): VolumeCapability {
  return { mount: { fsType, mountFlags: [], volumeMountGroup: "" }, accessMode: { mode } };
}

export function blockCapability(mode: Mode = Mode.SINGLE_NODE_WRITER): VolumeCapability {
  return { block: {}, accessMode: { mode } };
}

export function createVolumeRequest(given: Partial<CreateVolumeRequest> = {}): CreateVolumeRequest {
  return {
    name: "pvc-3f1c9e60-8a55-4c39-9d3e-0d4a6f0f8a11",
    capacityRange: undefined,
    volumeCapabilities: [mountCapability()],
    parameters: {},
    secrets: {},
    volumeContentSource: undefined,
    accessibilityRequirements: undefined,
    mutableParameters: {},
    ...given,
  };
}

export function publishRequest(
  given: Partial<ControllerPublishVolumeRequest> = {},
): ControllerPublishVolumeRequest {
  return {
    volumeId: "pvc-a",
    nodeId: "n1",
    volumeCapability: mountCapability(),
    readonly: false,
    secrets: {},
    volumeContext: {},
    ...given,
  };
}
