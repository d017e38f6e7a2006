import assert from "node:assert/strict";
import { killedAt, pointsOf, tellPoints } from "../rig/fault-walk.ts";
import { mortalDriver } from "../rig/programs.ts";
import { clusterWith } from "../rig/scenario.ts";
import { assertGone, assertStaged } from "../rig/staged-state.ts";
import { sh } from "../rig/world.ts";

const scenario = clusterWith({ nodeCommand: mortalDriver });

scenario(
  "a volume with data is staged as it is, wherever the plugin is killed",
  async (cluster) => {
    const { controller } = cluster;
    const node = cluster.node();
    const volume = await controller.create({ content: "ext4", sizeMiB: 16 });
    const context = await controller.publish(volume, "node-a");
    const stage = () => node.stage(volume, context);
    const file = `${node.stagingPath(volume)}/precious`;
    await stage();
    sh(`head -c 1M /dev/urandom > ${file}`);
    const precious = sh(`md5sum ${file}`);
    await node.unstage(volume);
    const points = await pointsOf(stage);
    assert.ok(points.every(({ effect }) => !effect.startsWith("mkfs")));
    for (const point of points) {
      await node.unstage(volume);
      assertGone(cluster);
      await killedAt(point, cluster, stage);
      assertStaged(cluster, volume, context);
      assert.equal(sh(`md5sum ${file}`), precious);
    }
    tellPoints("staging a volume with data", points);
    await node.unstage(volume);
    sh(`e2fsck -fn ${cluster.image(volume)}`);
    await controller.unpublish(volume, "node-a");
    await controller.delete(volume);
    cluster.assertNothingLeft();
  },
);
