import { Claims } from "#controller/claims.ts";
import { controllerHandlers } from "#csi/controller/service.ts";
import type { Appliance } from "#domain/ports/appliances.ts";
import type { Slot } from "#domain/volume-id.ts";
import type { VolumeTag } from "#domain/volume-tag.ts";
import { formatVolumeTag } from "#domain/volume-tag.ts";
import { GiB } from "#lib/bytes.ts";
import { KeyedMutex } from "#lib/keyed-mutex.ts";
import { randomNonce } from "#lib/nonce.ts";
import { testContext } from "./context.ts";
import { ListedNodes } from "./listed-nodes.ts";
import { ManualClock } from "./manual-clock.ts";
import { MemoryAppliances, memoryAppliance } from "./memory-appliances.ts";
import { MemoryVolumeStore } from "./memory-volume-store.ts";
import { RecordingLog } from "./recording-log.ts";

export interface ControllerRigOptions {
  readonly store?: MemoryVolumeStore;
  readonly clock?: ManualClock;
  readonly appliances?: readonly Appliance[];
}

/** A controller with everything it needs in memory. Two rigs over one store are two replicas. */
export function controllerRig({
  store = new MemoryVolumeStore(),
  clock = new ManualClock(),
  appliances = [memoryAppliance({ volumes: store })],
}: ControllerRigOptions = {}) {
  const log = new RecordingLog();
  const options = {
    appliances: new MemoryAppliances(...appliances),
    cluster: "lab",
    nodes: new ListedNodes(["n1", "n2", "n3"]),
    clock,
    nonce: randomNonce,
    fenceSettleSeconds: 5,
    locks: new KeyedMutex(),
    claims: new Claims(),
    shutPools: new Set<string>(),
  };
  return {
    options,
    store,
    clock,
    log,
    ctx: testContext({ log }),
    handlers: controllerHandlers(options),
  };
}

/** Puts a volume of cluster "lab" into the store, unexported unless told otherwise. */
export function putVolume(
  store: MemoryVolumeStore,
  id: string,
  { tag = {}, sizeBytes = GiB, exported = {} }: PutVolumeOptions = {},
): Slot {
  const slot = id as Slot;
  store.putImage(slot, sizeBytes);
  store.putEntry(slot, formatVolumeTag({ ...blankTag, ...tag }), exported);
  return slot;
}

interface PutVolumeOptions {
  readonly tag?: Partial<VolumeTag>;
  readonly sizeBytes?: number;
  readonly exported?: { readonly enabled?: boolean; readonly nqn?: string; readonly port?: number };
}

const blankTag: VolumeTag = {
  cluster: "lab",
  revision: 1,
  attachment: undefined,
  epoch: undefined,
  departure: undefined,
  halted: false,
  pv: undefined,
  source: undefined,
  pvc: undefined,
};
