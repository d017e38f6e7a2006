// kernel: nvme_core.multipath=N
import assert from "node:assert/strict";
import { before } from "node:test";
import type { Cluster } from "../rig/cluster.ts";
import { clusterWith } from "../rig/scenario.ts";
import { UsedVolume } from "../rig/used-volume.ts";
import { waitFor } from "../rig/wait-for.ts";
import { impatient, logged, untilGone } from "../rig/without-multipath.ts";
import { sh } from "../rig/world.ts";

// Mounts are shared on a node, as systemd makes them.
before(() => sh("mount --make-rshared /"));
/** Two addresses, each of which would show a disk of its own. */
const scenario = clusterWith({ multipath: true });

/** One disk of one path, on which the volume lies without a hold. */
function assertBare(cluster: Cluster, nqn: string): void {
  assert.deepEqual(cluster.controllers(nqn), ["live"]);
  assert.equal(sh("dmsetup ls"), "No devices found\n");
}

scenario(
  "a node without native multipath says so, and a short outage is a pause",
  async (cluster) => {
    assert.equal(sh("cat /sys/module/nvme_core/parameters/multipath"), "N\n");
    assert.equal(
      logged(cluster, "Volumes get no hold: reconnectMode is remount for all of them"),
      1,
    );
    assert.equal(logged(cluster, "native NVMe multipath is off"), 1);
    using ext4 = await UsedVolume.start(cluster, "ext4");
    using block = await UsedVolume.start(cluster, "block");
    for (const used of [ext4, block]) {
      assertBare(cluster, used.nqn);
      used.noteLoss();
    }
    cluster.loseDataNetwork();
    for (const used of [ext4, block])
      await waitFor(`${used.nqn} is not live`, () => !used.isLive());
    for (const used of [ext4, block]) used.noteReturn();
    cluster.restoreDataNetwork();
    for (const used of [ext4, block]) await used.goesOn("silent loss, without native multipath");
    for (const used of [ext4, block]) await used.finish();
    cluster.assertNothingLeft();
  },
);

scenario(
  "without native multipath a volume is there again after the kernel has removed its device",
  async (cluster) => {
    const { controller } = cluster;
    const kubelet = cluster.node();
    const volumes = [];
    for (const content of ["ext4", "block"] as const) {
      const volume = await controller.create({ content, parameters: impatient });
      const { path, nqn } = await cluster.bringUp(volume);
      assertBare(cluster, nqn);
      const file = content === "block" ? path : `${path}/file`;
      volumes.push({ volume, file });
    }
    const write = (file: string, text: string) =>
      sh(`echo ${text} | dd of=${file} bs=4096 conv=sync,fsync,notrunc status=none`);
    const read = (file: string) =>
      sh(`dd if=${file} bs=4096 count=1 iflag=direct status=none 2>&1 | head -c 5`);
    for (const { file } of volumes) write(file, "first");
    const numbers = sh("cat /sys/block/nvme*/dev").trim().split("\n");
    assert.equal(numbers.length, 2);
    cluster.loseDataNetwork();
    for (const number of numbers) await untilGone(cluster, number);
    for (const { file } of volumes) assert.notEqual(read(file), "first", "nothing waits");
    cluster.restoreDataNetwork();
    for (const { volume, file } of volumes) {
      await waitFor(`${file} is there again`, () => read(file) === "first");
      write(file, "again");
      await waitFor("its condition tells that it answers", async () => {
        const { volumeCondition } = await kubelet.stats(volume);
        return /^The volume is connected|is back under another device/.test(
          volumeCondition?.message ?? "",
        );
      });
    }
    for (const { volume } of volumes) {
      await cluster.takeDown(volume);
      if (volume.capability.mount !== undefined) cluster.assertWhole(volume);
      else assert.equal(sh(`head -c 5 ${cluster.image(volume)}`), "again");
      await controller.delete(volume);
    }
    cluster.assertNothingLeft();
  },
);
