import assert from "node:assert/strict";
import { MiB } from "#lib/bytes.ts";
import type { Cluster } from "../rig/cluster.ts";
import type { ClusterVolume } from "../rig/cluster-volume.ts";
import { retry } from "../rig/retry.ts";
import { clusterWith } from "../rig/scenario.ts";
import { sh } from "../rig/world.ts";
import { assertRecords, Writer } from "../rig/writer.ts";

const scenario = clusterWith({ nodeConfig: { deviceTimeout: "3s" } });

function sizeOf(device: string): number {
  return Number(sh(`blockdev --getsize64 ${device}`));
}

/** Three seconds may pass on a busy host before the device is looked at twice. */
async function expanded(cluster: Cluster, volume: ClusterVolume): Promise<number> {
  return await retry("expanding", () => cluster.node().expand(volume, 96 * MiB));
}

scenario("a target that shows sizes only to who asks: the node asks", async (cluster) => {
  const { controller, simulator } = cluster;
  simulator.switches.set("resize-visibility", "rescan");
  const volume = await controller.create({ content: "ext4" });
  await cluster.bringUp(volume);
  const device = cluster.mounts()[0]?.source ?? "";
  await controller.expand(volume, 96);
  assert.equal(sizeOf(device), 64 * MiB);
  assert.equal(await expanded(cluster, volume), 96 * MiB);
  assert.equal(sizeOf(device), 96 * MiB);
  await cluster.takeDown(volume);
  await controller.delete(volume);
  cluster.assertNothingLeft();
});

scenario(
  "a target that shows sizes only in a new export: a clear failure, and success after it",
  async (cluster) => {
    const { controller, simulator } = cluster;
    simulator.switches.set("resize-visibility", "re-export");
    const volume = await controller.create({ content: "ext4" });
    const { path } = await cluster.bringUp(volume);
    using writer = new Writer(`${path}/records`);
    await writer.progress();
    assert.equal(await controller.expand(volume, 96), 96 * MiB);
    await assert.rejects(cluster.node().expand(volume, 96 * MiB), {
      code: 14,
      details:
        /^Cannot use ".*" of ".*": it has .* \(67108864 bytes\) after 3 s, expected at least 100663296 bytes$/,
    });
    await writer.progress();
    const report = await writer.stop();
    assert.equal(report.error, undefined, "the pod does not notice");
    await cluster.takeDown(volume);
    const again = await cluster.bringUp(volume);
    assert.equal(await cluster.node().expand(volume, 96 * MiB), 96 * MiB);
    assertRecords(`${again.path}/records`, report);
    await cluster.takeDown(volume);
    sh(`e2fsck -fn ${cluster.image(volume)}`);
    await controller.delete(volume);
    cluster.assertNothingLeft();
    assert.equal(sh("losetup --noheadings --list"), "", "the simulator leaves no loop device");
    simulator.switches.reset();
  },
);

scenario("a target with blocks of 512 bytes", async (cluster) => {
  const { controller, simulator } = cluster;
  simulator.switches.set("block-size", "512");
  const volume = await controller.create({ content: "ext4" });
  const { path } = await cluster.bringUp(volume);
  const device = cluster.mounts()[0]?.source ?? "";
  assert.equal(sh(`blockdev --getss ${device}`), "512\n");
  sh(`seq 1000 > ${path}/numbers`);
  await controller.expand(volume, 96);
  assert.equal(await expanded(cluster, volume), 96 * MiB);
  await cluster.takeDown(volume);
  sh(`e2fsck -fn ${cluster.image(volume)}`);
  await controller.delete(volume);
  cluster.assertNothingLeft();
  simulator.switches.reset();
});
