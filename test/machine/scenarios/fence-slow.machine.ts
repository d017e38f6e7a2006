import assert from "node:assert/strict";
import { after, afterEach, before } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Cluster } from "../rig/cluster.ts";
import type { ClusterVolume } from "../rig/cluster-volume.ts";
import { end, fill, givesUp, leaves, othersThan, scribble } from "../rig/fenced.ts";
import { KubernetesApi } from "../rig/kubernetes-api.ts";
import { clusterWith } from "../rig/scenario.ts";
import { SlowDisk } from "../rig/slow-disk.ts";
import { waitFor } from "../rig/wait-for.ts";
import { sh } from "../rig/world.ts";
import { assertRecords, Writer } from "../rig/writer.ts";

/**
 * Longer than the way to the cut. A flush waits for several writes of the pool, and detaching for all of them: together
 * shorter than the driver's time limit for a command of the appliance.
 */
const slowMs = 5_000;

const nodes = ["node-a", "node-b"];
let disk: SlowDisk;
let kubernetes: KubernetesApi;
before(async () => {
  disk = new SlowDisk("/appliance");
  kubernetes = await KubernetesApi.start();
});
// Nothing may wait for the disk in the next scenario, nor while the cluster is taken down.
afterEach(() => disk.delayWrites(0));
const scenario = clusterWith({ nodes, pool: "xfs", poolIsReady: true });
after(() => {
  kubernetes[Symbol.dispose]();
  disk[Symbol.dispose]();
});

/**
 * Detaches the volume from node-a, which does not hear of it, while writes of it are on their way to the disk.
 * Answered is that only when they have arrived.
 */
async function detachInFlight(cluster: Cluster, volume: ClusterVolume): Promise<void> {
  await waitFor("writes of node-a are on their way", () => disk.writesUnderWay() > 0);
  const startedAt = Date.now();
  await cluster.controller.unpublish(volume, "node-a");
  kubernetes.detach(volume, "node-a");
  assert.equal(disk.writesUnderWay(), 0, "nothing is on its way any more");
  process.stdout.write(`# detaching took ${Date.now() - startedAt} ms\n`);
  assert.deepEqual(cluster.exports(), []);
}

scenario(
  "what the target had accepted lands before the volume is given away, however slow the disk, and nothing after",
  async (cluster) => {
    const volume = await cluster.controller.create({ content: "block", sizeMiB: 4 });
    const image = cluster.image(volume);
    const first = await kubernetes.bringUp(cluster, volume, "node-a");
    await fill(first.path, "a", "oflag=direct");
    disk.delayWrites(slowMs);
    const scribbler = scribble(first.path, "A");
    await waitFor("writes of node-a are on their way", () => disk.writesUnderWay() > 0);
    assert.equal(othersThan("a", image), "0", "and nothing of them has landed");
    await detachInFlight(cluster, volume);
    assert.equal(sh(`head -c 1M ${image} | tr -d A | wc -c`).trim(), "0", "they have landed");

    const second = await kubernetes.bringUp(cluster, volume, "node-b");
    await fill(second.path, "B", "oflag=direct");
    assert.equal(othersThan("B", image), "0");
    disk.delayWrites(0);
    await givesUp(first.nqn);
    await delay(slowMs);
    assert.equal(othersThan("B", image), "0", "nothing of node-a has landed since");
    assert.equal(othersThan("B", second.path), "0");
    assert.deepEqual(cluster.exports(), [second.nqn]);
    end(scribbler);
    await cluster.takeDown(volume, "node-b");
    await leaves(cluster.node("node-a"), volume);
    await cluster.controller.delete(volume);
    cluster.assertNothingLeft();
  },
);

scenario(
  "a file system that was cut off in the middle of a flush is whole for the next node",
  async (cluster) => {
    const volume = await cluster.controller.create({ content: "ext4" });
    const first = await kubernetes.bringUp(cluster, volume, "node-a");
    using writer = new Writer(`${first.path}/of-a`);
    await writer.progress(20);
    disk.delayWrites(slowMs);
    await detachInFlight(cluster, volume);
    disk.delayWrites(0);

    const second = await kubernetes.bringUp(cluster, volume, "node-b");
    const atHandOver = Number(sh(`wc -l < ${second.path}/of-a`));
    using other = new Writer(`${second.path}/of-b`);
    await other.progress(20);
    assert.equal((await writer.ended()).error, "EIO");
    assert.ok(writer.report.flushed <= atHandOver, "what node-a called flushed is all there");
    const report = await other.stop();
    await cluster.takeDown(volume, "node-b");
    sh(`e2fsck -fn ${cluster.image(volume)}`);
    await leaves(cluster.node("node-a"), volume);
    const { path } = await kubernetes.bringUp(cluster, volume, "node-b");
    assertRecords(`${path}/of-b`, report);
    assertRecords(`${path}/of-a`, writer.report);
    await cluster.takeDown(volume, "node-b");
    sh(`e2fsck -fn ${cluster.image(volume)}`);
    await cluster.controller.delete(volume);
    cluster.assertNothingLeft();
  },
);
