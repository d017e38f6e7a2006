import { PoolGuard } from "#controller/pool-guard.ts";
import { Publisher } from "#controller/publish-volume.ts";
import { unpublishVolume } from "#controller/unpublish-volume.ts";
import type { Appliance } from "#domain/ports/appliances.ts";
import type { Slot } from "#domain/volume-id.ts";
import { GiB, TiB } from "#lib/bytes.ts";
import { type ControllerRigOptions, controllerRig, putVolume } from "./controller-rig.ts";
import { memoryAppliance } from "./memory-appliances.ts";
import { MemoryVolumeStore } from "./memory-volume-store.ts";

export const [a, b, c] = ["pvc-a", "pvc-b", "pvc-c"] as [Slot, Slot, Slot];

const mode = "single-node-writer";

/**
 * A controller and the guard of its appliance, on a pool of 1 TiB with volumes `a`, `b` and `c` of 1 GiB each. Two rigs
 * over one store are two replicas.
 */
export function guardedRig({
  store = new MemoryVolumeStore(),
  appliance = {},
  ...options
}: ControllerRigOptions & { readonly appliance?: Partial<Appliance> } = {}) {
  const ready = memoryAppliance({ ...appliance, volumes: store });
  const world = controllerRig({ ...options, store, appliances: [ready] });
  for (const slot of [a, b, c]) if (store.peek(slot) === undefined) putVolume(store, slot);
  const { ctx, clock, log } = world;
  const { shutPools } = world.options;
  const guard = new PoolGuard({ appliance: ready, shutPools, clock, log });
  const publisher = new Publisher(world.options);
  return {
    ...world,
    guard,
    publish: (slot: Slot, node = "n1") => publisher.publish({ id: slot, node, mode }, ctx),
    unpublish: (slot: Slot, node?: string) =>
      unpublishVolume(world.options, { id: slot, node }, ctx),
    leaveFree: (bytes: number) => {
      store.otherBytes = TiB - 3 * GiB - bytes;
    },
    /** As often as it takes for what two looks agree on to be done. */
    settle: async () => {
      for (let looks = 0; looks < 4; looks++) await guard.look();
    },
    exported: (slot: Slot) => store.peek(slot)?.exported,
    tag: (slot: Slot) => store.peek(slot)?.tag,
  };
}
