import { Claims } from "#controller/claims.ts";
import { controllerHandlers } from "#csi/controller/service.ts";
import {
  type CreateVolumeRequest,
  VolumeCapability_AccessMode_Mode,
  type VolumeContentSource,
} from "#csi/gen/csi.ts";
import { GiB } from "#lib/bytes.ts";
import { systemClock } from "#lib/clock.ts";
import { KeyedMutex } from "#lib/keyed-mutex.ts";
import { randomNonce } from "#lib/nonce.ts";
import { testContext } from "#test/fakes/context.ts";
import { ListedNodes } from "#test/fakes/listed-nodes.ts";
import { MemoryAppliances } from "#test/fakes/memory-appliances.ts";
import type { SimulatedAppliance } from "#test/rig/simulated-appliance.ts";

const capability = {
  block: undefined,
  mount: { fsType: "ext4", mountFlags: [], volumeMountGroup: "" },
  accessMode: { mode: VolumeCapability_AccessMode_Mode.SINGLE_NODE_WRITER },
};

/** The controller's calls on a simulated appliance over real SSH, connected and probed already. */
export async function controllerOn(appliance: SimulatedAppliance) {
  const driver = await appliance.warmDriver({
    commandTimeoutMs: 60_000,
    limits: { reserve: 0, emergency: 0, overprovision: 100 },
  });
  const handlers = controllerHandlers({
    appliances: new MemoryAppliances(driver),
    cluster: "c1",
    nodes: new ListedNodes(["n1"]),
    clock: systemClock,
    nonce: randomNonce,
    fenceSettleSeconds: 5,
    locks: new KeyedMutex(),
    claims: new Claims(),
    shutPools: new Set(),
  });
  const ctx = testContext();
  return {
    create: (name: string, requiredBytes = GiB, source?: VolumeContentSource) =>
      handlers.createVolume(createRequest({ name, requiredBytes, source }), ctx),
    publish: (volumeId: string) =>
      handlers.controllerPublishVolume(
        {
          volumeId,
          nodeId: "n1",
          volumeCapability: capability,
          readonly: false,
          secrets: {},
          volumeContext: {},
        },
        ctx,
      ),
    unpublish: (volumeId: string) =>
      handlers.controllerUnpublishVolume({ volumeId, nodeId: "n1", secrets: {} }, ctx),
    expand: (volumeId: string) =>
      handlers.controllerExpandVolume(
        {
          volumeId,
          capacityRange: { requiredBytes: 2 * GiB, limitBytes: 0 },
          secrets: {},
          volumeCapability: undefined,
        },
        ctx,
      ),
    list: (maxEntries = 0, startingToken = "") =>
      handlers.listVolumes({ maxEntries, startingToken }, ctx),
    capacity: () =>
      handlers.getCapacity(
        { volumeCapabilities: [], parameters: {}, accessibleTopology: undefined },
        ctx,
      ),
    snapshot: async (sourceVolumeId: string, name: string) => {
      const request = { sourceVolumeId, name, secrets: {}, parameters: {} };
      return (await handlers.createSnapshot(request, ctx)).snapshot?.snapshotId ?? "";
    },
    listSnapshots: () =>
      handlers.listSnapshots(
        { maxEntries: 0, startingToken: "", sourceVolumeId: "", snapshotId: "", secrets: {} },
        ctx,
      ),
    deleteSnapshot: (snapshotId: string) =>
      handlers.deleteSnapshot({ snapshotId, secrets: {} }, ctx),
    delete: (volumeId: string) => handlers.deleteVolume({ volumeId, secrets: {} }, ctx),
  };
}

function createRequest({
  name,
  requiredBytes,
  source,
}: {
  readonly name: string;
  readonly requiredBytes: number;
  readonly source: VolumeContentSource | undefined;
}): CreateVolumeRequest {
  return {
    name,
    capacityRange: { requiredBytes, limitBytes: 0 },
    volumeCapabilities: [capability],
    parameters: {},
    secrets: {},
    volumeContentSource: source,
    accessibilityRequirements: undefined,
    mutableParameters: {},
  };
}
