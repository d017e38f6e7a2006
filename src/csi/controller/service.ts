import { type CreateVolumeOptions, idForOrder } from "#controller/create-volume.ts";
import { locateVolume } from "#controller/located-volume.ts";
import { Publisher, type PublisherOptions } from "#controller/publish-volume.ts";
import type { Appliances } from "#domain/ports/appliances.ts";
import { parseSnapshotId, snapshotKeyForName } from "#domain/snapshot-id.ts";
import { withPrefix } from "#domain/volume-id.ts";
import type { KeyedMutex } from "#lib/keyed-mutex.ts";
import type {
  CreateSnapshotRequest,
  CreateVolumeRequest,
  DeleteSnapshotRequest,
} from "../gen/csi.ts";
import { oneAtATime } from "../handler.ts";
import type { ControllerHandlers } from "../service-handlers.ts";
import { controllerExpandVolumeHandler } from "./controller-expand-volume.ts";
import { controllerGetCapabilities } from "./controller-get-capabilities.ts";
import { controllerGetVolumeHandler } from "./controller-get-volume.ts";
import { controllerPublishVolumeHandler } from "./controller-publish-volume.ts";
import { controllerUnpublishVolumeHandler } from "./controller-unpublish-volume.ts";
import { createSnapshotHandler } from "./create-snapshot.ts";
import { createVolumeHandler } from "./create-volume.ts";
import { deleteSnapshotHandler } from "./delete-snapshot.ts";
import { deleteVolumeHandler } from "./delete-volume.ts";
import { getCapacityHandler } from "./get-capacity.ts";
import { getSnapshotHandler } from "./get-snapshot.ts";
import { listSnapshotsHandler } from "./list-snapshots.ts";
import { listVolumesHandler } from "./list-volumes.ts";
import { validateVolumeCapabilitiesHandler } from "./validate-volume-capabilities.ts";

export interface ControllerOptions extends CreateVolumeOptions, PublisherOptions {
  /** Shared by all calls of this process. */
  readonly locks: KeyedMutex;
}

const volumeIdOf = (request: { readonly volumeId: string }) => request.volumeId;

/** A snapshot's key, which its name and its id both tell; on every appliance it is another one. */
function takenKey(request: CreateSnapshotRequest, appliances: Appliances): string {
  const source = locateVolume(request.sourceVolumeId, appliances);
  return withPrefix(source?.appliance.idPrefix, snapshotKeyForName(request.name));
}

function deletedKey({ snapshotId }: DeleteSnapshotRequest): string {
  const id = parseSnapshotId(snapshotId);
  return id === undefined ? snapshotId : withPrefix(id.appliance, id.leaf.key);
}

/** The CSI Controller service. Calls that change a volume exclude each other, those that read do not. */
export function controllerHandlers(options: ControllerOptions) {
  const { appliances, locks } = options;
  const createdId = (request: CreateVolumeRequest) => idForOrder(request, appliances);
  const publish = controllerPublishVolumeHandler(new Publisher(options));
  return {
    createVolume: oneAtATime(locks, createdId, createVolumeHandler(options)),
    deleteVolume: oneAtATime(locks, volumeIdOf, deleteVolumeHandler(appliances)),
    controllerPublishVolume: oneAtATime(locks, volumeIdOf, publish),
    controllerUnpublishVolume: oneAtATime(
      locks,
      volumeIdOf,
      controllerUnpublishVolumeHandler(options),
    ),
    controllerExpandVolume: oneAtATime(locks, volumeIdOf, controllerExpandVolumeHandler(options)),
    validateVolumeCapabilities: validateVolumeCapabilitiesHandler(appliances),
    createSnapshot: oneAtATime(
      locks,
      (request) => takenKey(request, appliances),
      createSnapshotHandler(appliances),
      "snapshot",
    ),
    deleteSnapshot: oneAtATime(locks, deletedKey, deleteSnapshotHandler(appliances), "snapshot"),
    listSnapshots: listSnapshotsHandler(appliances),
    getSnapshot: getSnapshotHandler(appliances),
    listVolumes: listVolumesHandler(appliances),
    controllerGetVolume: controllerGetVolumeHandler(appliances),
    getCapacity: getCapacityHandler(appliances),
    controllerGetCapabilities,
  } satisfies ControllerHandlers;
}
