import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { MiB } from "#lib/bytes.ts";
import type { Cluster } from "../rig/cluster.ts";
import { clusterWith } from "../rig/scenario.ts";
import { sh } from "../rig/world.ts";
import { assertRecords, Writer } from "../rig/writer.ts";

const scenario = clusterWith({ nodes: ["node-a", "node-b"] });
/** None of them is what the driver or the kernel takes by itself. */
const parameters = { ctrlLossTmo: "78", reconnectDelay: "3", keepAliveTmo: "7", nrIoQueues: "1" };

/** The connection is what the StorageClass says, and the node says who it is. */
function assertConnectedAsAsked(cluster: Cluster, nodeId: string): void {
  const [controller = "", ...more] = cluster.sysfs.list("class", "nvme");
  assert.deepEqual(more, []);
  const read = (name: string) => cluster.sysfs.read("class", "nvme", controller, name);
  assert.equal(read("ctrl_loss_tmo"), parameters.ctrlLossTmo);
  assert.equal(read("reconnect_delay"), parameters.reconnectDelay);
  assert.equal(read("kato"), parameters.keepAliveTmo);
  assert.equal(read("queue_count"), "2", "one for data, beside the one for administration");
  const kept = readFileSync(`${cluster.node(nodeId).stateFolder}/hostnqn`, "utf8").trim();
  assert.match(kept, /^nqn\.2014-08\.org\.nvmexpress:uuid:/);
  assert.equal(read("hostnqn"), kept);
}

function fileSystemMiB(path: string): number {
  return Number(sh(`stat -f -c '%b %S' ${path} | awk '{ print $1 * $2 / 2^20 }'`));
}

for (const [content, sizeMiB] of [
  ["ext4", 64],
  ["xfs", 320],
] as const)
  scenario(`a volume with ${content} lives its whole life, on two nodes`, async (cluster) => {
    const { controller } = cluster;
    const volume = await controller.create({ content, sizeMiB, parameters });
    assert.deepEqual(cluster.exports(), [], "it is exported only while it is attached");
    const first = await cluster.bringUp(volume);
    assert.deepEqual(cluster.exports(), [first.nqn]);
    assert.deepEqual(cluster.controllers(first.nqn), ["live"]);
    assertConnectedAsAsked(cluster, "node-a");

    using writer = new Writer(`${first.path}/records`);
    await writer.progress();
    const former = fileSystemMiB(first.path);
    const larger = sizeMiB + 32;
    assert.equal(await controller.expand(volume, larger), larger * MiB);
    assert.equal(await cluster.node().expand(volume, larger * MiB), larger * MiB);
    const grown = fileSystemMiB(first.path);
    assert.ok(grown >= former + 24, `the file system had ${former} MiB and has ${grown}`);
    await writer.progress();
    const report = await writer.stop();
    assert.equal(report.error, undefined);

    await cluster.takeDown(volume);
    assert.deepEqual(cluster.exports(), []);
    cluster.assertWhole(volume);
    const second = await cluster.bringUp(volume, "node-b");
    assert.match(first.nqn, /\.1-[0-9a-z]{8}$/);
    assert.match(second.nqn, /\.2-[0-9a-z]{8}$/);
    assertConnectedAsAsked(cluster, "node-b");
    assertRecords(`${second.path}/records`, report);
    await cluster.takeDown(volume, "node-b");
    await controller.delete(volume);
    cluster.assertNothingLeft();
  });
