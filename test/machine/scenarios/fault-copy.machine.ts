import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Cluster } from "../rig/cluster.ts";
import type { ClusterVolume } from "../rig/cluster-volume.ts";
import { type FaultPoint, killedAt, pointsOf, tellPoints } from "../rig/fault-walk.ts";
import { mortalDriver } from "../rig/programs.ts";
import { retry } from "../rig/retry.ts";
import { clusterWith } from "../rig/scenario.ts";
import { sh } from "../rig/world.ts";
import { assertRecords, Writer } from "../rig/writer.ts";

const scenario = clusterWith({ nodeCommand: mortalDriver });

/** Of a copy's stage: what is not the same for every volume, which is from its mount on. */
function fromMountOn(points: readonly FaultPoint[]): FaultPoint[] {
  const mount = points.find(({ effect }) => effect === "mount")?.index ?? -1;
  return points.filter(({ index }) => index >= mount);
}

/** One mount, beside that of the source, and a record that says so. */
function assertStagedCopy(cluster: Cluster, copy: ClusterVolume, source: ClusterVolume): void {
  const node = cluster.node();
  const at = (volume: ClusterVolume) =>
    cluster.mounts().filter(({ target }) => target === node.stagingPath(volume));
  assert.deepEqual(
    at(copy).map(({ superOptions }) => superOptions.includes("nouuid")),
    [true],
  );
  assert.equal(at(source).length, 1);
  const { phase } = JSON.parse(readFileSync(node.recordFile(copy), "utf8"));
  assert.equal(phase, "staged");
}

scenario(
  "a copy is replayed and grown beside its source, wherever the plugin is killed",
  async (cluster) => {
    const { controller } = cluster;
    const node = cluster.node();
    const volume = await controller.create({ content: "xfs", sizeMiB: 320 });
    const { path } = await cluster.bringUp(volume);
    using writer = new Writer(`${path}/records`);
    await writer.progress();
    const before = writer.report;
    const source = { volume: { volumeId: volume.id } };
    const copy = await controller.create({ content: "xfs", sizeMiB: 352, source });
    const image = cluster.image(copy);
    const pristine = `${image}.pristine`;
    sh(`cp --reflink=always ${image} ${pristine}`);

    const context = await controller.publish(copy, "node-a");
    const stage = () => node.stage(copy, context);
    const points = fromMountOn(await pointsOf(stage));
    assert.ok(points.some(({ effect }) => effect === "xfs_growfs"));
    for (const point of points) {
      await retry("unstaging the copy", () => node.unstage(copy));
      sh(`xfs_io -c 'reflink ${pristine}' ${image}`);
      await killedAt(point, cluster, stage);
      assertStagedCopy(cluster, copy, volume);
      assertRecords(`${node.stagingPath(copy)}/records`, before);
    }
    tellPoints("staging a copy", points);
    await writer.progress();
    assert.equal((await writer.stop()).error, undefined);
    sh(`rm ${pristine}`);
    for (const each of [copy, volume]) {
      await cluster.takeDown(each);
      sh(`xfs_repair -n -f ${cluster.image(each)}`);
      await controller.delete(each);
    }
    cluster.assertNothingLeft();
  },
);
