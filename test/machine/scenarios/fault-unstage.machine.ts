import assert from "node:assert/strict";
import type { Cluster } from "../rig/cluster.ts";
import type { ClusterVolume } from "../rig/cluster-volume.ts";
import { type FaultPoint, killedAt, pointsOf, tellPoints } from "../rig/fault-walk.ts";
import { mortalDriver } from "../rig/programs.ts";
import { clusterWith } from "../rig/scenario.ts";
import { assertGone, assertStaged } from "../rig/staged-state.ts";
import { sh } from "../rig/world.ts";

const scenario = clusterWith({ nodeCommand: mortalDriver });

/** The life of a volume on a node: calls of kubelet, in their order, and what is true after each. */
async function lifeOf(cluster: Cluster, volume: ClusterVolume) {
  const node = cluster.node();
  const context = await cluster.controller.publish(volume, "node-a");
  const target = node.targetPath(volume);
  const mountsAt = (path: string) =>
    cluster.mounts().filter((mount) => mount.target === path).length;
  return {
    target,
    calls: [
      {
        call: () => node.stage(volume, context),
        check: () => assertStaged(cluster, volume, context),
      },
      {
        call: () => node.publish(volume, context),
        check: () => {
          assertStaged(cluster, volume, context);
          assert.equal(mountsAt(target), 1);
        },
      },
      {
        call: () => node.unpublish(volume),
        check: () => {
          assertStaged(cluster, volume, context);
          assert.equal(mountsAt(target), 0);
        },
      },
      { call: () => node.unstage(volume), check: () => assertGone(cluster) },
    ],
  };
}

/** With a kill at this point, if there is one. */
async function play(
  point: FaultPoint | undefined,
  call: () => Promise<unknown>,
  cluster: Cluster,
): Promise<void> {
  if (point === undefined) await call();
  else await killedAt(point, cluster, call);
}

/** Calls by their index. Staging has a file of its own, and is the same for a raw block volume up to its mount. */
const played = [1, 2, 3];

for (const content of ["ext4", "block"] as const)
  scenario(
    `a ${content} volume is published and taken away, wherever the plugin is killed`,
    async (cluster) => {
      const { controller } = cluster;
      const volume = await controller.create({ content, sizeMiB: 16 });
      const { target, calls } = await lifeOf(cluster, volume);
      const file = content === "block" ? target : `${target}/precious`;
      const sum = () => sh(`head -c 1M ${file} | md5sum`);
      for (const { call } of calls.slice(0, 2)) await call();
      sh(`head -c 1M /dev/urandom | dd of=${file} bs=1M iflag=fullblock conv=fsync,notrunc`);
      const precious = sum();
      for (const { call } of calls.slice(2)) await call();

      const points: FaultPoint[][] = [];
      for (const { call } of calls) points.push(await pointsOf(call));
      const chosen = points.map((all, index) => (played.includes(index) ? all : []));
      const rounds = Math.max(...chosen.map(({ length }) => length));
      for (let round = 0; round < rounds; round++)
        for (const [index, { call, check }] of calls.entries()) {
          await play(chosen[index]?.[round], call, cluster);
          check();
          if (index === 1) assert.equal(sum(), precious, "nothing was made anew");
        }
      tellPoints(`publishing, unpublishing and unstaging: ${content}`, chosen.flat());
      if (content === "ext4") sh(`e2fsck -fn ${cluster.image(volume)}`);
      await controller.unpublish(volume, "node-a");
      await controller.delete(volume);
      cluster.assertNothingLeft();
    },
  );
