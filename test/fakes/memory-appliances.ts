import type { Appliance, Appliances } from "#domain/ports/appliances.ts";
import { MemoryVolumeStore } from "./memory-volume-store.ts";

/** An appliance whose volumes are in memory; the default one unless it is given an `idPrefix`. */
export function memoryAppliance(
  overrides: Partial<Appliance> & { readonly volumes?: MemoryVolumeStore } = {},
): Appliance & { readonly volumes: MemoryVolumeStore } {
  const { volumes = new MemoryVolumeStore() } = overrides;
  return {
    name: "rds",
    idPrefix: undefined,
    volumes,
    snapshots: volumes.snapshots,
    data: { addresses: ["10.42.67.1"], port: 4420 },
    limits: { reserve: 0.1, emergency: 0.02, overprovision: 1 },
    ready: async () => {},
    ...overrides,
  };
}

/** A fixed set of appliances. */
export class MemoryAppliances implements Appliances {
  readonly #all: readonly Appliance[];
  constructor(...all: readonly Appliance[]) {
    this.#all = all;
  }
  find(name: string | undefined): Appliance | undefined {
    return this.#all.find((one) =>
      name === undefined ? one.idPrefix === undefined : one.name === name,
    );
  }
  all(): readonly Appliance[] {
    return this.#all;
  }
}
