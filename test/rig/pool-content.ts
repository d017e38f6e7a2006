import { GiB } from "#lib/bytes.ts";
import type { SimulatedAppliance } from "./simulated-appliance.ts";

/** All that operations on snapshots and copies change. */
export interface PoolContent {
  /** `pvc-a 1G` */
  readonly disks: readonly string[];
  /** Below `csi/c1`, the snapshots' folder as `snapshots`; `(ro)` behind those that nobody can write to. */
  readonly subvolumes: readonly string[];
}

export async function poolContent(rig: SimulatedAppliance): Promise<PoolContent> {
  const disks = await rig.rows('/disk/print detail as-value where type="file"');
  const subvolumes = await rig.rows("/disk/btrfs/subvolume/print detail as-value");
  const names = subvolumes.map((row) => `${row["fullname"]}${row["read-only"] ? " (ro)" : ""}`);
  return {
    disks: disks.map((row) => `${row["slot"]} ${Number(row["size"]) / GiB}G`).toSorted(),
    subvolumes: names
      .map((name) => name.replace("csi/c1/", "").replace("_snapshots.c1", "snapshots"))
      .toSorted(),
  };
}
