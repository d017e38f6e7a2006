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

/*
 * What is left of the fence where the appliance does less than the kernel's target when an export is taken away: it does
 * not wait for the writes that it has accepted, or it does not even cut who is connected.
 */
const slowMs = 8_000;
const nodes = ["node-a", "node-b"];
let disk: SlowDisk;
let kubernetes: KubernetesApi;
before(async () => {
  disk = new SlowDisk("/appliance");
  kubernetes = await KubernetesApi.start();
});
afterEach(() => disk.delayWrites(0));
/** Longer than any write takes. */
const scenario = clusterWith({ nodes, pool: "xfs", poolIsReady: true, settleTime: "20s" });
after(() => {
  kubernetes[Symbol.dispose]();
  disk[Symbol.dispose]();
});

/** A volume of node-a, full of a's. */
async function filled(cluster: Cluster) {
  const volume = await cluster.controller.create({ content: "block", sizeMiB: 4 });
  const { path, nqn } = await kubernetes.bringUp(cluster, volume, "node-a");
  await fill(path, "a", "oflag=direct");
  return { volume, nqn, path, image: cluster.image(volume) };
}

/** What Kubernetes does after it has given node-a up, which does not hear of it. */
async function forceDetach(cluster: Cluster, volume: ClusterVolume): Promise<void> {
  await cluster.controller.unpublish(volume, "node-a");
  kubernetes.detach(volume, "node-a");
  assert.equal(cluster.disk(volume)?.settings.get("nvme-tcp-export"), false);
}

scenario(
  "a target that does not wait for accepted writes: they land within the settle time, and not in the next node's data",
  async (cluster) => {
    cluster.simulator.switches.set("unexport-drain", "no");
    const { volume, nqn, path, image } = await filled(cluster);
    disk.delayWrites(slowMs);
    const scribbler = scribble(path, "A");
    await waitFor("writes of node-a are on their way", () => disk.writesUnderWay() > 0);
    await forceDetach(cluster, volume);
    assert.ok(disk.writesUnderWay() > 0, "they are still on their way");
    assert.notEqual(sh(`head -c 1M ${image} | tr -d A | wc -c`).trim(), "0");

    await cluster.controller.publish(volume, "node-b");
    assert.equal(sh(`head -c 1M ${image} | tr -d A | wc -c`).trim(), "0", "they have landed");
    const second = await kubernetes.bringUp(cluster, volume, "node-b");
    disk.delayWrites(0);
    await fill(second.path, "B", "oflag=direct");
    await givesUp(nqn);
    await delay(slowMs);
    assert.equal(othersThan("B", image), "0", "nothing of node-a has landed since");
    end(scribbler);
    cluster.simulator.switches.set("unexport-drain", "yes");
    await cluster.takeDown(volume, "node-b");
    await leaves(cluster.node("node-a"), volume);
    await cluster.controller.delete(volume);
    cluster.assertNothingLeft();
  },
);

scenario(
  "a target that does not cut who is connected: that node writes on until it loses its connection, and never after",
  async (cluster) => {
    const { simulator, fabric } = cluster;
    simulator.switches.set("connected-unexport", "keep");
    const { volume, nqn, path, image } = await filled(cluster);
    const scribbler = scribble(path, "A");
    await forceDetach(cluster, volume);
    assert.deepEqual(cluster.controllers(nqn), ["live"], "nobody has cut it");

    const second = await kubernetes.bringUp(cluster, volume, "node-b");
    await fill(second.path, "B", "oflag=direct");
    await waitFor("node-a writes where node-b has written", () => {
      return sh(`head -c 1M ${image} | tr -d A | wc -c`).trim() === "0";
    });

    cluster.loseDataNetwork();
    for (const lost of [nqn, second.nqn])
      await waitFor("the loss is noticed", () => !cluster.controllers(lost).includes("live"));
    cluster.restoreDataNetwork();
    await waitFor("node-b is back", () => cluster.controllers(second.nqn).includes("live"));
    await fill(second.path, "B", "oflag=direct");
    await givesUp(nqn);
    assert.equal(othersThan("B", image), "0", "node-a does not get in again");
    assert.ok(!cluster.controllers(nqn).includes("live"));
    end(scribbler);
    simulator.switches.set("connected-unexport", "cut");
    await fabric.withdraw(nqn);
    await cluster.takeDown(volume, "node-b");
    await leaves(cluster.node("node-a"), volume);
    await cluster.controller.delete(volume);
    cluster.assertNothingLeft();
  },
);
