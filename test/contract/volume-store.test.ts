import type { Slot } from "#domain/volume-id.ts";
import { MiB } from "#lib/bytes.ts";
import { testContext } from "#test/fakes/context.ts";
import { MemoryVolumeStore } from "#test/fakes/memory-volume-store.ts";
import { SimulatedAppliance } from "#test/rig/simulated-appliance.ts";
import { volumeStoreContract } from "./volume-store.contract.ts";
import type { VolumeStoreHarness } from "./volume-store-harness.ts";

async function fake(): Promise<VolumeStoreHarness> {
  const store = new MemoryVolumeStore({ cluster: "c1" });
  return {
    store,
    rival: store,
    cluster: "c1",
    async putEntry(slot, comment) {
      store.putImage(slot, MiB);
      store.putEntry(slot, comment);
    },
    putImage: async (slot) => store.putImage(slot, MiB),
    hasImage: async (slot) => store.hasImage(slot),
    commentOf: async (slot) => store.commentOf(slot),
    async leaveFree(bytes) {
      store.otherBytes += (await store.survey()).pool.freeBytes - bytes;
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** The adapter on the simulator, where the layout follows from the file system of the pool. */
async function adapter(type: "btrfs" | "xfs"): Promise<VolumeStoreHarness> {
  const pool = { mountPoint: "storage-pool", size: 2 ** 40, type };
  const rig = await SimulatedAppliance.start({ pools: [pool] });
  const driver = await rig.warmDriver();
  const folder = "storage-pool/csi/c1";
  const image = (slot: Slot) =>
    type === "btrfs" ? `${folder}/${slot}/disk.img` : `${folder}/${slot}.img`;
  const addFile = (slot: string, path: string) =>
    rig.run(`/disk/add type=file slot=${slot} file-path=${path} file-size=1M`);
  return {
    store: driver.volumes,
    rival: rig.driver().volumes,
    cluster: "c1",
    async putEntry(slot, comment) {
      await addFile(slot, `storage-pool/${slot}.img`);
      await rig.run(`/disk/set ${slot} comment="${comment.replace("?", "\\3F")}"`);
    },
    async putImage(slot) {
      if (type === "btrfs")
        await rig.run(`/disk/btrfs/subvolume/add fs="storage-pool-fs" name="${`csi/c1/${slot}`}"`);
      await addFile("other", image(slot));
      await rig.run("/disk/remove other");
    },
    hasImage: async (slot) =>
      (await rig.rows(`/file/print as-value where name="${image(slot)}"`)).length > 0,
    async commentOf(slot) {
      const [row] = await rig.rows(`/disk/print detail as-value where slot="${slot}"`);
      return row === undefined ? undefined : String(row["comment"]);
    },
    async leaveFree(bytes) {
      const { pool: state } = await driver.volumes.survey(testContext());
      rig.occupy(state.freeBytes - bytes);
    },
    [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose](),
  };
}

volumeStoreContract("MemoryVolumeStore", fake);
volumeStoreContract("RouterOsVolumeStore on Btrfs", () => adapter("btrfs"));
volumeStoreContract("RouterOsVolumeStore on XFS", () => adapter("xfs"));
