import type { Cluster } from "../rig/cluster.ts";
import type { ClusterVolume, Content } from "../rig/cluster-volume.ts";
import { type FaultPoint, killedAt, pointsOf, tellPoints } from "../rig/fault-walk.ts";
import { mortalDriver } from "../rig/programs.ts";
import { clusterWith } from "../rig/scenario.ts";
import { assertGone, assertStaged } from "../rig/staged-state.ts";
import { sh } from "../rig/world.ts";

const scenario = clusterWith({ nodeCommand: mortalDriver });

/** Lets a volume be as new. */
function empty(cluster: Cluster, volume: ClusterVolume, content: Content): void {
  const image = cluster.image(volume);
  sh(content === "xfs" ? `xfs_repair -n -f ${image}` : `e2fsck -fn ${image}`);
  sh(`fallocate --punch-hole --length $(stat -c %s ${image}) ${image}`);
}

/** Of a blank volume's stage: what is not the same when it has data. The records are the same for all file systems. */
function aroundMkfs(points: readonly FaultPoint[], content: Content): FaultPoint[] {
  const mkfs = points.find(({ effect }) => effect.startsWith("mkfs."))?.index ?? -1;
  if (content !== "ext4") return points.filter(({ index }) => index === mkfs);
  return points.filter(({ index, moment, effect }) => {
    return (index >= mkfs - 2 && index < mkfs + 3) || (effect === "mount" && moment === "before");
  });
}

for (const content of ["ext4", "xfs"] as const)
  scenario(
    `a blank ${content} volume is formatted once, wherever the plugin is killed before its first mount`,
    async (cluster) => {
      const { controller } = cluster;
      const node = cluster.node();
      const volume = await controller.create({ content, sizeMiB: content === "xfs" ? 320 : 16 });
      const context = await controller.publish(volume, "node-a");
      const stage = () => node.stage(volume, context);
      // The first one makes folders that stay.
      await stage();
      await node.unstage(volume);
      empty(cluster, volume, content);
      const points = aroundMkfs(await pointsOf(stage), content);
      await node.unstage(volume);
      for (const point of points) {
        empty(cluster, volume, content);
        await killedAt(point, cluster, stage);
        assertStaged(cluster, volume, context);
        await node.unstage(volume);
        assertGone(cluster);
      }
      empty(cluster, volume, content);
      tellPoints(`staging a blank ${content} volume`, points);
      await controller.unpublish(volume, "node-a");
      await controller.delete(volume);
      cluster.assertNothingLeft();
    },
  );
