import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { Snapshot } from "#csi/gen/csi.ts";
import { MiB } from "#lib/bytes.ts";
import type { Cluster } from "../rig/cluster.ts";
import type { ClusterVolume, Content } from "../rig/cluster-volume.ts";
import { clusterWith } from "../rig/scenario.ts";
import { UsedVolume } from "../rig/used-volume.ts";
import { sh } from "../rig/world.ts";
import { assertRecords, type WriterReport } from "../rig/writer.ts";

const scenario = clusterWith();
const check = "/mnt/snapshot";

/** What a snapshot must hold: each record that was flushed before it, none that was begun after it. */
interface Cut {
  readonly snapshot: Snapshot;
  readonly before: WriterReport;
  readonly after: WriterReport;
}

/** The writer says how far it is a moment later. */
const reportMs = 1_500;
/** It says so ten times a second, and one record takes it at least 20 ms: so many it may have flushed unsaid. */
const unsaid = 5;

async function cutOf({ cluster, volume, writer }: UsedVolume, name: string): Promise<Cut> {
  const before = writer.report;
  const snapshot = await cluster.controller.snapshots.take(volume, name);
  await delay(reportMs);
  return { snapshot, before, after: writer.report };
}

function restore(cluster: Cluster, { snapshotId }: Snapshot, content: Content, sizeMiB = 320) {
  return cluster.controller.create({ content, sizeMiB, source: { snapshot: { snapshotId } } });
}

/** The records of a folder are a clean prefix of what was written. */
function assertPrefix(folder: string, { before, after }: Cut): void {
  assertRecords(`${folder}/records`, before);
  const records = readFileSync(`${folder}/records`, "latin1").split("\n").length - 1;
  assert.ok(
    records <= after.flushed + unsaid + 1,
    `${records} records, ${after.flushed} were flushed after it`,
  );
}

/** What is in the image itself, replayed as after a loss of power, and then found whole. */
function assertImage(image: string, content: Content, cut: Cut): void {
  sh(`mkdir -p ${check}`);
  const options = content === "xfs" ? "loop,nouuid" : "loop";
  sh(`mount -o ${options} ${image} ${check}`);
  try {
    assertPrefix(check, cut);
  } finally {
    sh(`umount ${check}`);
  }
  sh(content === "xfs" ? `xfs_repair -n -f ${image}` : `e2fsck -fn ${image}`);
}

async function assertGone(cluster: Cluster, volumes: readonly ClusterVolume[]): Promise<void> {
  for (const volume of volumes) await cluster.controller.delete(volume);
  for (const snapshot of await cluster.controller.snapshots.list())
    await cluster.controller.snapshots.delete(snapshot);
  cluster.assertNothingLeft();
}

for (const content of ["ext4", "xfs", "block"] as const)
  scenario(
    `snapshots of a ${content} volume that is written to are clean cuts, also in an outage and after it is gone`,
    async (cluster) => {
      const { controller } = cluster;
      using used = await UsedVolume.start(cluster, content);
      const { volume, writer } = used;
      const cuts: Cut[] = [];
      for (const name of ["first", "second"]) {
        await writer.progress(20);
        cuts.push(await cutOf(used, name));
      }
      await used.lose();
      cuts.push(await cutOf(used, "in the outage"));
      used.restore();
      await used.goesOn("short, a snapshot in it");
      const [first] = cuts;
      assert.ok(first);
      const again = await controller.snapshots.take(volume, "first");
      assert.deepEqual(again, first.snapshot);

      // Beside its source on one node, and larger; the guest of a raw block volume has its own file system in it.
      const larger = await restore(cluster, first.snapshot, content, 384);
      const { path } = await cluster.bringUp(larger);
      if (content === "block") assert.equal(Number(sh(`blockdev --getsize64 ${path}`)), 384 * MiB);
      else assertPrefix(path, first);
      await writer.progress();
      await cluster.takeDown(larger);

      await used.finish();
      const restored: ClusterVolume[] = [];
      for (const cut of cuts) {
        assert.equal(cut.snapshot.sourceVolumeId, volume.id);
        assert.equal(cut.snapshot.sizeBytes, 320 * MiB);
        const copy = await restore(cluster, cut.snapshot, content);
        restored.push(copy);
        await controller.snapshots.delete(cut.snapshot);
        assertImage(cluster.image(copy), content, cut);
      }
      await assertGone(cluster, [larger, ...restored]);
    },
  );

scenario("a clone of a clone has what its origins had when it was made", async (cluster) => {
  const { controller } = cluster;
  using used = await UsedVolume.start(cluster, "ext4");
  const cloneOf = ({ id }: ClusterVolume) =>
    controller.create({ content: "ext4", sizeMiB: 320, source: { volume: { volumeId: id } } });
  const before = used.writer.report;
  const clone = await cloneOf(used.volume);
  const { path } = await cluster.bringUp(clone);
  assertRecords(`${path}/records`, before);
  sh(`cp ${path}/records ${path}/of-the-clone && sync -f ${path}`);
  const second = await cloneOf(clone);
  await cluster.takeDown(clone);
  await used.finish();
  await controller.delete(clone);
  const later = await cluster.bringUp(second);
  assertRecords(`${later.path}/of-the-clone`, before);
  await cluster.takeDown(second);
  sh(`e2fsck -fn ${cluster.image(second)}`);
  await assertGone(cluster, [second]);
});

scenario(
  "200 snapshots of a volume that is written to, and all of them away again",
  async (cluster) => {
    const { controller } = cluster;
    using used = await UsedVolume.start(cluster, "ext4");
    const first = await cutOf(used, "nightly 0");
    const taken = [first.snapshot];
    for (let index = 1; index < 200; index += 1)
      taken.push(await controller.snapshots.take(used.volume, `nightly ${index}`));
    await used.writer.progress();
    const ids = (snapshots: readonly Snapshot[]) =>
      snapshots.map(({ snapshotId }) => snapshotId).toSorted();
    assert.deepEqual(ids(await controller.snapshots.list()), ids(taken));
    for (const snapshot of taken.slice(1)) await controller.snapshots.delete(snapshot);
    assert.deepEqual(await controller.snapshots.list(), [first.snapshot]);
    const copy = await restore(cluster, first.snapshot, "ext4");
    await used.finish();
    assertImage(cluster.image(copy), "ext4", first);
    await assertGone(cluster, [copy]);
  },
);
