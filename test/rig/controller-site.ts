import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { startController } from "#app/controller.ts";
import { loadConfig } from "#config/load.ts";
import { controllerConfig } from "#config/roles.ts";
import { CsiClient } from "#csi/client.ts";
import { formatSnapshotLeaf, snapshotKeyForName } from "#domain/snapshot-id.ts";
import type { Slot } from "#domain/volume-id.ts";
import { GiB } from "#lib/bytes.ts";
import type { SimulatorOptions } from "#sim/options.ts";
import { createVolumeRequest, mountCapability, publishRequest } from "#test/fakes/csi-requests.ts";
import { RecordingLog } from "#test/fakes/recording-log.ts";
import { applianceConfig } from "./driver-process.ts";
import { SimulatedAppliance } from "./simulated-appliance.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** An appliance, and controllers on sockets of their own: everything between the two is real. */
export async function controllerSite(t: TestContext, options: SimulatorOptions = {}) {
  const stack = new AsyncDisposableStack();
  t.after(() => stack.disposeAsync());
  const { path } = stack.use(temporaryFolder());
  const rds = stack.use(await SimulatedAppliance.start({ stateDirectory: path, ...options }));
  let count = 0;
  const controller = async (overrides: Readonly<Record<string, unknown>> = {}) => {
    const endpoint = `unix://${join(path, `${++count}.sock`)}`;
    const file = join(path, `${count}.json`);
    const rds1 = { ...applianceConfig(rds.simulator), pool: "storage-pool", ...overrides };
    const nodes = ["n1", "n2"];
    const settings = { endpoint, clusterId: "c1", kubernetes: "off", nodes, appliances: { rds1 } };
    writeFileSync(file, JSON.stringify(settings));
    const config = controllerConfig(await loadConfig({ config: file }));
    stack.use(await startController(config, "0.0.0", new RecordingLog()));
    return stack.use(new CsiClient(endpoint));
  };
  return { rds, controller };
}

export const order = createVolumeRequest({
  capacityRange: { requiredBytes: GiB, limitBytes: 0 },
});
/** Of the volume that `order` makes. */
export const volumeId = "pvc-h4oj4yekkvgdthj6bvfg6d4kce";
/** Of that volume, when it has been expanded. */
const snapshotName = "snapshot-7b1d7f1e-52a8-4c5f-8a55-6b7c8d9e0f10";
const snapshotId = formatSnapshotLeaf({
  key: snapshotKeyForName(snapshotName),
  source: volumeId as Slot,
  sizeBytes: 2 * GiB,
});
const capabilities = [mountCapability()];
const secrets = {};

/** Every call that needs the appliance, in the order of a volume's life: from nothing to nothing. */
export const lifeOfAVolume = {
  createVolume: ({ controller }) => controller.createVolume(order),
  controllerPublishVolume: ({ controller }) =>
    controller.controllerPublishVolume(publishRequest({ volumeId })),
  controllerExpandVolume: ({ controller }) =>
    controller.controllerExpandVolume({
      volumeId,
      capacityRange: { requiredBytes: 2 * GiB, limitBytes: 0 },
      secrets,
      volumeCapability: undefined,
    }),
  listVolumes: ({ controller }) => controller.listVolumes({ maxEntries: 0, startingToken: "" }),
  controllerGetVolume: ({ controller }) => controller.controllerGetVolume({ volumeId }),
  validateVolumeCapabilities: ({ controller }) =>
    controller.validateVolumeCapabilities({
      volumeId,
      volumeContext: {},
      volumeCapabilities: capabilities,
      parameters: {},
      secrets,
      mutableParameters: {},
    }),
  getCapacity: ({ controller }) =>
    controller.getCapacity({
      volumeCapabilities: capabilities,
      parameters: {},
      accessibleTopology: undefined,
    }),
  createSnapshot: ({ controller }) =>
    controller.createSnapshot({
      name: snapshotName,
      sourceVolumeId: volumeId,
      secrets,
      parameters: {},
    }),
  listSnapshots: ({ controller }) =>
    controller.listSnapshots({
      snapshotId: "",
      sourceVolumeId: "",
      maxEntries: 0,
      startingToken: "",
      secrets,
    }),
  getSnapshot: ({ controller }) => controller.getSnapshot({ snapshotId, secrets }),
  deleteSnapshot: ({ controller }) => controller.deleteSnapshot({ snapshotId, secrets }),
  controllerUnpublishVolume: ({ controller }) =>
    controller.controllerUnpublishVolume({ volumeId, nodeId: "n1", secrets }),
  deleteVolume: ({ controller }) => controller.deleteVolume({ volumeId, secrets }),
} satisfies Readonly<Record<string, (client: CsiClient) => Promise<unknown>>>;
