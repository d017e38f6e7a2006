import type { SimulatorOptions } from "#sim/options.ts";

/** One way of running csi-sanity; each has its own appliances, controller and node. */
export interface Configuration {
  readonly name: string;
  /** By the name of the appliance; the first is the default one. */
  readonly appliances: Readonly<Record<string, SimulatorOptions>>;
  readonly accessType: "mount" | "block";
  /** Parameters of the StorageClass. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Sizes in bytes that csi-sanity asks for. */
  readonly volumeBytes: number;
  readonly expandedBytes: number;
}

const MiB = 2 ** 20;
const GiB = 2 ** 30;
const sizes = { volumeBytes: GiB, expandedBytes: 2 * GiB };
const pool = (size: number) => ({ pools: [{ mountPoint: "storage-pool", size }] });

export const configurations: readonly Configuration[] = [
  { name: "file system", appliances: { rds: {} }, accessType: "mount", ...sizes },
  { name: "raw block", appliances: { rds: {} }, accessType: "block", ...sizes },
  {
    name: "several appliances",
    appliances: { rds: {}, second: { identity: "second" } },
    accessType: "mount",
    parameters: { appliance: "second" },
    ...sizes,
  },
  {
    name: "small pool",
    appliances: { rds: pool(GiB) },
    accessType: "mount",
    volumeBytes: 64 * MiB,
    expandedBytes: 96 * MiB,
  },
  {
    name: "slow appliance",
    appliances: { rds: { switches: { latency: 200 } } },
    accessType: "mount",
    ...sizes,
  },
];
