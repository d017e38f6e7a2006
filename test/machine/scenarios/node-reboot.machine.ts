import assert from "node:assert/strict";
import type { Cluster } from "../rig/cluster.ts";
import type { ClusterVolume } from "../rig/cluster-volume.ts";
import { crashNode, logged } from "../rig/node-crash.ts";
import { retry } from "../rig/retry.ts";
import { clusterWith } from "../rig/scenario.ts";
import { assertStaged } from "../rig/staged-state.ts";
import { waitFor } from "../rig/wait-for.ts";
import { sh } from "../rig/world.ts";
import { assertRecords, Writer, type WriterReport } from "../rig/writer.ts";

const scenario = clusterWith();

/** As far as it got; the process is gone with its node. */
async function kill(writer: Writer): Promise<WriterReport> {
  await writer.progress(20);
  writer[Symbol.dispose]();
  return writer.report;
}

/** The plugin tells of what it finds, and makes nothing of it: a mount is kubelet's to order. */
async function assertFound(cluster: Cluster, volume: ClusterVolume): Promise<void> {
  const found = await logged(cluster, "Found a volume of an earlier run");
  assert.deepEqual(
    found.map(({ volumeId, phase, hold, mounted }) => ({ volumeId, phase, hold, mounted })),
    [{ volumeId: volume.id, phase: "staged", hold: undefined, mounted: undefined }],
  );
  assert.deepEqual(cluster.mounts(), []);
}

for (const content of ["ext4", "xfs"] as const)
  scenario(
    `a node loses its power with a ${content} volume staged and stages it again`,
    async (cluster) => {
      const { controller } = cluster;
      const node = cluster.node();
      const sizeMiB = content === "xfs" ? 320 : 64;
      const volume = await controller.create({ content, sizeMiB });
      const { path, context } = await cluster.bringUp(volume);
      using writer = new Writer(`${path}/records`);
      const report = await kill(writer);
      await crashNode(cluster, writer);
      await node.start();
      await assertFound(cluster, volume);
      await node.stage(volume, context);
      assertStaged(cluster, volume, context);
      await node.publish(volume, context);
      assertRecords(`${path}/records`, report);
      await cluster.takeDown(volume);
      const image = cluster.image(volume);
      sh(content === "xfs" ? `xfs_repair -n -f ${image}` : `e2fsck -fn ${image}`);
      await controller.delete(volume);
      cluster.assertNothingLeft();
    },
  );

scenario(
  "a node loses its power in an outage, and comes back before the appliance does",
  async (cluster) => {
    const { controller } = cluster;
    const node = cluster.node();
    const volume = await controller.create({ content: "ext4" });
    const { path, context, nqn } = await cluster.bringUp(volume);
    using writer = new Writer(`${path}/records`);
    await writer.progress(20);
    cluster.loseDataNetwork();
    await waitFor("the connection is lost", () => !cluster.controllers(nqn).includes("live"));
    const { report } = writer;
    writer[Symbol.dispose]();
    await crashNode(cluster, writer);
    await node.start();
    await assertFound(cluster, volume);
    await assert.rejects(node.stage(volume, context, 10_000), ({ code }) => [4, 14].includes(code));
    assert.deepEqual(cluster.mounts(), []);
    cluster.restoreDataNetwork();
    await retry("staging", () => node.stage(volume, context));
    assertStaged(cluster, volume, context);
    await node.publish(volume, context);
    assertRecords(`${path}/records`, report);
    await cluster.takeDown(volume);
    sh(`e2fsck -fn ${cluster.image(volume)}`);
    await controller.delete(volume);
    cluster.assertNothingLeft();
  },
);

scenario(
  "a raw block volume is given to its pod again after its node has lost its power",
  async (cluster) => {
    const { controller } = cluster;
    const node = cluster.node();
    const volume = await controller.create({ content: "block", sizeMiB: 16 });
    const { path, context } = await cluster.bringUp(volume);
    sh(
      `head -c 1M /dev/zero | tr '\\0' A | dd of=${path} bs=1M iflag=fullblock oflag=direct conv=fsync`,
    );
    await crashNode(cluster);
    await node.start();
    await assertFound(cluster, volume);
    await retry("staging", () => node.stage(volume, context));
    assertStaged(cluster, volume, context);
    await node.publish(volume, context);
    assert.equal(sh(`head -c 1M ${path} | tr -d A | wc -c`), "0\n");
    await cluster.takeDown(volume);
    await controller.delete(volume);
    cluster.assertNothingLeft();
  },
);
