import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after, before } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { VolumeCapability_AccessMode_Mode as Mode } from "#csi/gen/csi.ts";
import type { Cluster } from "../rig/cluster.ts";
import type { ClusterVolume } from "../rig/cluster-volume.ts";
import { end, fill, givesUp, othersThan, scribble } from "../rig/fenced.ts";
import { KubernetesApi } from "../rig/kubernetes-api.ts";
import { retry } from "../rig/retry.ts";
import { clusterWith } from "../rig/scenario.ts";
import { waitFor } from "../rig/wait-for.ts";
import { sh } from "../rig/world.ts";
import { assertRecords, Writer } from "../rig/writer.ts";

const scenario = clusterWith({ nodes: ["node-a", "node-b"] });
let kubernetes: KubernetesApi;
before(async () => {
  kubernetes = await KubernetesApi.start();
});
after(() => kubernetes[Symbol.dispose]());

/** What Kubernetes does after it has given a node up, which does not hear of it. */
async function forceDetach(cluster: Cluster, volume: ClusterVolume, nodeId: string) {
  await cluster.controller.unpublish(volume, nodeId);
  kubernetes.detach(volume, nodeId);
}

scenario(
  "a node that never heard of the end writes on, and nothing of it reaches a file system, nor when it has the volume again",
  async (cluster) => {
    const { controller } = cluster;
    const node = cluster.node("node-a");
    const volume = await controller.create({ content: "ext4" });
    const lost = await kubernetes.bringUp(cluster, volume, "node-a");
    await fill(`${lost.path}/shared`, "a", "conv=fsync");
    using writer = new Writer(`${lost.path}/of-a`);
    await writer.progress();
    await forceDetach(cluster, volume, "node-a");
    // What node-a has in its cache and in its queue, on the very blocks that node-b writes to.
    const late = spawn("dd", [
      ...["if=/dev/zero", `of=${lost.path}/shared`, "bs=1M", "count=4", "conv=notrunc"],
    ]);

    const second = await kubernetes.bringUp(cluster, volume, "node-b");
    const atHandOver = Number(sh(`wc -l < ${second.path}/of-a`));
    assert.ok(atHandOver >= 5, `${atHandOver} records`);
    await fill(`${second.path}/shared`, "b", "conv=notrunc,fsync");
    using other = new Writer(`${second.path}/of-b`);
    await other.progress(20);
    assert.ok(writer.report.flushed <= atHandOver, "what node-a called flushed is all there");
    assert.ok(!cluster.controllers(lost.nqn).includes("live"), "node-a does not get in again");
    assert.equal(Number(sh(`wc -l < ${second.path}/of-a`)), atHandOver);
    assert.deepEqual(cluster.exports(), [second.nqn]);

    // Its attachment is gone, so the hold ends by itself: what waited is told, and thrown away.
    assert.equal((await writer.ended()).error, "EIO");
    late.kill("SIGKILL");
    const report = await other.stop();
    await cluster.takeDown(volume, "node-b");
    kubernetes.detach(volume, "node-b");
    sh(`e2fsck -fn ${cluster.image(volume)}`);

    // Back to the first node, whose pod with the dead mount goes first, as kubelet does it.
    await retry("unpublishing the dead mount", () => node.unpublish(volume));
    const context = await controller.publish(volume, "node-a");
    await retry("staging again", () => node.stage(volume, context));
    const path = await node.publish(volume, context);
    assert.match(context["nqn"] ?? "", /\.3-[0-9a-z]{8}$/);
    assert.deepEqual(cluster.controllers(lost.nqn), []);
    assertRecords(`${path}/of-b`, report);
    assert.equal(othersThan("b", `${path}/shared`), "0", "nothing of node-a's cache landed");
    assert.equal(Number(sh(`wc -l < ${path}/of-a`)), atHandOver);
    await cluster.takeDown(volume, "node-a");
    sh(`e2fsck -fn ${cluster.image(volume)}`);
    await controller.delete(volume);
    cluster.assertNothingLeft();
  },
);

scenario("the same with a raw block volume under constant writing", async (cluster) => {
  const { controller } = cluster;
  const node = cluster.node("node-a");
  const volume = await controller.create({ content: "block", sizeMiB: 4 });
  const lost = await kubernetes.bringUp(cluster, volume, "node-a");
  const scribbler = scribble(lost.path, "A");
  const image = cluster.image(volume);
  await waitFor(
    "node-a has written",
    () => sh(`head -c 1M ${image} | tr -d 'A' | wc -c`) === "0\n",
  );
  await forceDetach(cluster, volume, "node-a");
  const { path, nqn } = await kubernetes.bringUp(cluster, volume, "node-b");
  await fill(path, "B", "oflag=direct");
  await givesUp(lost.nqn);
  assert.equal(othersThan("B", image), "0", "the image holds nothing but B");
  assert.ok(!cluster.controllers(lost.nqn).includes("live"));
  assert.deepEqual(cluster.exports(), [nqn]);

  // It gets the volume back while its old pod still writes: not before that has gone.
  await cluster.takeDown(volume, "node-b");
  kubernetes.detach(volume, "node-b");
  const context = await controller.publish(volume, "node-a");
  await assert.rejects(node.stage(volume, context), {
    code: 9,
    details: /while it is here with another NQN, .*: it is still mounted at ".*\/pod-1"$/,
  });
  end(scribbler);
  await retry("unpublishing", () => node.unpublish(volume));
  await retry("staging again", () => node.stage(volume, context));
  await node.publish(volume, context);
  assert.equal(othersThan("B", lost.path), "0", "nor when it has the volume again");
  await cluster.takeDown(volume, "node-a");
  await controller.delete(volume);
  cluster.assertNothingLeft();
});

scenario(
  "publishing elsewhere is refused until the first node has been detached",
  async (cluster) => {
    const { controller } = cluster;
    const volume = await controller.create({ content: "ext4" });
    const { nqn } = await cluster.bringUp(volume, "node-a");
    await assert.rejects(controller.publish(volume, "node-b"), {
      code: 9,
      details: /is attached to "node-a" as single-node-writer$/,
    });
    assert.deepEqual(cluster.controllers(nqn), ["live"]);
    await cluster.takeDown(volume, "node-a");
    await controller.delete(volume);
  },
);

scenario(
  "of two nodes that share a volume, the one that leaves is cut off only when the last one does",
  async (cluster) => {
    const { controller } = cluster;
    const mode = Mode.MULTI_NODE_MULTI_WRITER;
    const volume = await controller.create({ content: "block", sizeMiB: 4, mode });
    const first = await cluster.bringUp(volume, "node-a");
    const second = await controller.publish(volume, "node-b");
    assert.equal(second["nqn"], first.nqn, "they share one export");
    await controller.unpublish(volume, "node-a");
    assert.deepEqual(cluster.controllers(first.nqn), ["live"], "documented: it may still write");
    await fill(first.path, "A", "oflag=direct");
    assert.equal(othersThan("A", cluster.image(volume)), "0");
    await controller.unpublish(volume, "node-b");
    assert.deepEqual(cluster.exports(), []);
    await waitFor("it is cut off", () => !cluster.controllers(first.nqn).includes("live"));
    const late = scribble(first.path, "L");
    await delay(2_000);
    assert.equal(othersThan("A", cluster.image(volume)), "0");
    end(late);
    await givesUp(first.nqn);
    await retry("unpublishing", () => cluster.node("node-a").unpublish(volume));
    await retry("unstaging", () => cluster.node("node-a").unstage(volume));
    await controller.delete(volume);
    cluster.assertNothingLeft();
  },
);
