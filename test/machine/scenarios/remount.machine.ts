// machine: its own
import assert from "node:assert/strict";
import { Container } from "../rig/container.ts";
import { retry } from "../rig/retry.ts";
import { clusterWith } from "../rig/scenario.ts";
import {
  impatient,
  logged,
  untilGone,
  untilSaid,
  withoutMultipath,
} from "../rig/without-multipath.ts";
import { sh } from "../rig/world.ts";

withoutMultipath();
const scenario = clusterWith();

/** Number of the device, or of the file system's, that is seen at a path. */
function numberAt(path: string): string {
  return sh(`awk '$5 == "${path}" { n = $3 } END { print n }' /proc/self/mountinfo`).trim();
}

function assertWhole(content: "ext4" | "xfs", image: string): void {
  sh(content === "xfs" ? `xfs_repair -n -f ${image}` : `e2fsck -fn ${image}`);
}

for (const content of ["ext4", "xfs"] as const)
  scenario(
    `${content} without dm-multipath: pods read and write again after the device was lost`,
    async (cluster) => {
      const { controller, fabric } = cluster;
      const kubelet = cluster.node();
      const volume = await controller.create({ content, sizeMiB: 320, parameters: impatient });
      const { context, path, nqn } = await cluster.bringUp(volume);
      const reader = await kubelet.publish(volume, context, "reader", true);
      await kubelet.publish(volume, context, "leaving");
      sh(`seq 1000 > ${path}/numbers && sync ${path}/numbers`);
      await untilSaid(cluster, volume, /it has no hold/);
      using plain = await Container.start(path, "private");
      using following = await Container.start(path, "slave");
      using followingReader = await Container.start(reader, "slave");
      const dead = numberAt(path);

      fabric.interrupt(nqn);
      await untilGone(cluster, dead);
      // UNAVAILABLE, or ABORTED while the watch is at it: kubelet tries again.
      await assert.rejects(kubelet.publish(volume, context, "late"), /^Error: 1[04] /);
      await retry("a pod leaves in the outage", () => kubelet.unpublish(volume, "leaving"));
      const { usage, volumeCondition } = await kubelet.stats(volume);
      assert.deepEqual([usage, volumeCondition?.abnormal], [[], true]);
      assert.throws(() => plain.run("echo lost > $v/lost && sync $v/lost"));
      if (content === "xfs") await kubelet.kill();
      fabric.resume(nqn);
      if (content === "xfs") await kubelet.start();
      await untilSaid(cluster, volume, /is back under another device.*: restart them$/);

      assert.notEqual(numberAt(path), dead);
      assert.equal(sh(`wc -l < ${path}/numbers`), "1000\n");
      sh(`echo pod > ${path}/from-pod && sync ${path}/from-pod`);
      assert.equal(sh(`cat ${reader}/from-pod`), "pod\n");
      assert.throws(() => sh(`touch ${reader}/more`), /Read-only file system/);
      assert.equal(following.run("cat $v/from-pod"), "pod\n");
      following.run("echo follower > $v/from-follower && sync $v/from-follower");
      assert.equal(followingReader.run("cat $v/from-follower"), "follower\n");
      assert.throws(() => followingReader.run("touch $v/more"), /Read-only file system/);
      assert.throws(() => plain.run("echo lost > $v/lost && sync $v/lost"));
      await plain.stop();
      using again = await Container.start(path, "private");
      assert.equal(again.run("cat $v/from-follower"), "follower\n");
      again.run("echo again > $v/from-restarted && sync $v/from-restarted");

      assert.ok((await kubelet.stats(volume)).usage.length > 0, "what is back is measured");
      assert.equal(logged(cluster, "Pods have a volume again under another device"), 1);
      for (const container of [following, followingReader, again]) await container.stop();
      await kubelet.unpublish(volume, "reader");
      await cluster.takeDown(volume);
      assertWhole(content, cluster.image(volume));
      await controller.delete(volume);
      cluster.assertNothingLeft();
    },
  );
