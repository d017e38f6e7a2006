import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before } from "node:test";
import type { Cluster } from "../rig/cluster.ts";
import type { ClusterVolume, Content } from "../rig/cluster-volume.ts";
import { KubernetesApi } from "../rig/kubernetes-api.ts";
import { retry } from "../rig/retry.ts";
import { clusterWith } from "../rig/scenario.ts";
import { waitFor } from "../rig/wait-for.ts";
import { sh } from "../rig/world.ts";
import { assertRecords, Writer, type WriterReport } from "../rig/writer.ts";

const patient = { ctrlLossTmo: "-1", reconnectDelay: "1", keepAliveTmo: "2" };
const scenario = clusterWith();
let kubernetes: KubernetesApi;
before(async () => {
  kubernetes = await KubernetesApi.start();
});
after(() => kubernetes[Symbol.dispose]());

async function bringUp(cluster: Cluster, content: Content, ioHoldSeconds = "0") {
  const parameters = { ...patient, ioHoldSeconds };
  const volume = await cluster.controller.create({ content, sizeMiB: 32, parameters });
  const up = await kubernetes.bringUp(cluster, volume, "node-a");
  return { volume, ...up };
}

function isQueueing(nqn: string): boolean {
  const hold = `rds-csi-${nqn}`;
  // One that is parked does not show it.
  const isParked = sh(`dmsetup info -c --noheadings -o suspended ${hold}`).includes("Suspended");
  return isParked || /queue_if_no_path/.test(sh(`dmsetup table ${hold}`));
}

async function conditionSays(cluster: Cluster, volume: ClusterVolume, text: RegExp) {
  await waitFor(`the condition of ${volume.name} says ${text}`, async () => {
    const condition = await cluster.node().condition(volume);
    return condition?.abnormal === true && text.test(condition.message);
  });
}

/** As Kubernetes does with a pod that is started anew: another mount, after the journal was replayed. */
async function startPodAnew(cluster: Cluster, volume: ClusterVolume, report: WriterReport) {
  const node = cluster.node();
  await retry("unpublishing", () => node.unpublish(volume));
  await retry("unstaging", () => node.unstage(volume));
  const { path } = await cluster.bringUp(volume);
  assertRecords(`${path}/records`, report);
  sh(`echo again > ${path}/file && sync ${path}/file`);
  await remove(cluster, volume);
}

async function remove(cluster: Cluster, volume: ClusterVolume): Promise<void> {
  await cluster.takeDown(volume);
  const image = cluster.image(volume);
  if (volume.capability.block === undefined) sh(`e2fsck -fn ${image}`);
  await cluster.controller.delete(volume);
}

scenario("a hold ends after ioHoldSeconds, and no other with it", async (cluster) => {
  const [limited, raw, held] = [
    await bringUp(cluster, "ext4", "8"),
    await bringUp(cluster, "block", "8"),
    await bringUp(cluster, "ext4"),
  ];
  using writer = new Writer(`${limited.path}/records`);
  using patientWriter = new Writer(`${held.path}/records`);
  await writer.progress();
  await patientWriter.progress();
  cluster.loseDataNetwork();
  const late = spawn("dd", [
    "if=/dev/zero",
    `of=${raw.path}`,
    "bs=4096",
    "count=1",
    "oflag=direct",
  ]);
  const [report, [exitCode]] = await Promise.all([writer.ended(), once(late, "exit")]);
  assert.equal(report.error, "EIO");
  assert.equal(exitCode, 1, "a raw block volume's user is told, too");
  for (const { volume } of [limited, raw])
    await conditionSays(cluster, volume, /ioHoldSeconds \(8\) have passed/);
  await conditionSays(cluster, held.volume, /reads and writes wait/);
  assert.equal(patientWriter.report.error, undefined);
  cluster.restoreDataNetwork();
  await patientWriter.progress();
  assert.equal((await patientWriter.stop()).error, undefined);
  await remove(cluster, held.volume);
  await startPodAnew(cluster, limited.volume, report);
  await remove(cluster, raw.volume);
  cluster.assertNothingLeft();
});

scenario(
  "a hold goes on while Kubernetes does not answer, and ends when the attachment has another NQN",
  async (cluster) => {
    const node = cluster.node();
    const { volume, path, nqn } = await bringUp(cluster, "ext4");
    using writer = new Writer(`${path}/records`);
    await writer.progress();
    kubernetes.setReachable(false);
    cluster.loseDataNetwork();
    await waitFor("Kubernetes is asked", () => kubernetes.refused > 0);
    assert.ok(isQueueing(nqn));
    await conditionSays(cluster, volume, /reads and writes wait/);
    // The plugin that comes after it asks again, sooner than this one would.
    await node.kill();
    kubernetes.setReachable(true);
    kubernetes.attach(volume, "node-a", nqn.replace(/\.\d+-\w+$/, ".2-abcdefgh"));
    await node.start();
    const report = await writer.ended();
    assert.equal(report.error, "EIO");
    await conditionSays(cluster, volume, /its attachment to this node is gone, or is another one/);
    assert.ok(!isQueueing(nqn));
    await waitFor("nothing tries to connect any more", () => cluster.controllers(nqn).length === 0);
    cluster.restoreDataNetwork();
    await startPodAnew(cluster, volume, report);
    cluster.assertNothingLeft();
  },
);

/** As docs/resilience.md has it. */
function giveUpByHand(nqn: string): void {
  sh(`dmsetup resume rds-csi-${nqn} && dmsetup message rds-csi-${nqn} 0 fail_if_no_path`);
  sh(
    `for c in $(grep -lxF '${nqn}' /sys/class/nvme/*/subsysnqn); do echo 1 > \${c%/*}/delete_controller; done`,
  );
}

scenario(
  "an operator gives a held volume up by hand, and the plugin lets it be",
  async (cluster) => {
    const { volume, path, nqn } = await bringUp(cluster, "ext4");
    using writer = new Writer(`${path}/records`);
    await writer.progress();
    kubernetes.setReachable(false);
    cluster.loseDataNetwork();
    await conditionSays(cluster, volume, /reads and writes wait/);
    giveUpByHand(nqn);
    const report = await writer.ended();
    assert.equal(report.error, "EIO");
    await conditionSays(cluster, volume, /its hold was ended before/);
    cluster.restoreDataNetwork();
    kubernetes.setReachable(true);
    assert.deepEqual(cluster.controllers(nqn), [], "and nobody connects it");
    await startPodAnew(cluster, volume, report);
    cluster.assertNothingLeft();
  },
);
