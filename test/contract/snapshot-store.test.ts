import { parseSnapshotLeaf } from "#domain/snapshot-id.ts";
import { GiB } from "#lib/bytes.ts";
import { ManualClock } from "#test/fakes/manual-clock.ts";
import { MemoryVolumeStore } from "#test/fakes/memory-volume-store.ts";
import { SimulatedAppliance } from "#test/rig/simulated-appliance.ts";
import { type SnapshotStoreHarness, snapshotStoreContract } from "./snapshot-store.contract.ts";

async function fake(): Promise<SnapshotStoreHarness> {
  const volumes = new MemoryVolumeStore({ cluster: "c1" });
  const { snapshots } = volumes;
  return {
    volumes,
    snapshots,
    rival: snapshots,
    leaveCopy: async (slot, origin) => volumes.putImage(slot, GiB, origin),
    async spoil(name) {
      const leaf = parseSnapshotLeaf(name);
      if (leaf !== undefined) snapshots.put(leaf, { intact: false });
    },
    async [Symbol.asyncDispose]() {},
  };
}

async function adapter(): Promise<SnapshotStoreHarness> {
  const rig = await SimulatedAppliance.start();
  const clock = new ManualClock();
  const { volumes, snapshots } = await rig.warmDriver({ clock });
  const menu = "/disk/btrfs/subvolume";
  return {
    volumes,
    snapshots,
    rival: rig.driver().snapshots,
    async leaveCopy(slot, origin) {
      await rig.run(`${menu}/add fs=storage-pool-fs parent="${origin}" name="csi/c1/${slot}"`);
    },
    rest: () => clock.advance(5_000),
    async spoil(name) {
      await rig.run(`${menu}/set [find name="${name}"] read-only=no`);
    },
    [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose](),
  };
}

snapshotStoreContract("MemorySnapshotStore", fake);
snapshotStoreContract("RouterOsSnapshotStore", adapter);
