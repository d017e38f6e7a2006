import assert from "node:assert/strict";
import { VolumeCapability_AccessMode_Mode as Mode } from "#csi/gen/csi.ts";
import { capabilityFor } from "../rig/cluster-volume.ts";
import { clusterWith } from "../rig/scenario.ts";
import { sh } from "../rig/world.ts";

const scenario = clusterWith({ nodes: ["node-a", "node-b"] });

// Nodes of one machine share its kernel: with one NQN on both, each would see the other's mounts as its own, so
// only one of them stages.
scenario(
  "a volume for many readers is written by none, and exported until the last has left",
  async (cluster) => {
    const { controller } = cluster;
    const volume = await controller.create({ content: "ext4" });
    const { path } = await cluster.bringUp(volume);
    sh(`seq 1000 > ${path}/numbers`);
    await cluster.takeDown(volume);
    const before = sh(`md5sum < ${cluster.image(volume)}`);

    const reading = { ...volume, capability: capabilityFor("ext4", Mode.MULTI_NODE_READER_ONLY) };
    const first = await cluster.bringUp(reading, "node-a");
    assert.deepEqual(await controller.publish(reading, "node-b"), first.context);
    assert.equal(sh(`wc -l < ${first.path}/numbers`), "1000\n");
    assert.throws(() => sh(`touch ${first.path}/more`), /Read-only file system/);
    const device = cluster.mounts().at(-1)?.source ?? "";
    assert.equal(sh(`blockdev --getro ${device}`), "1\n");
    assert.throws(
      () => sh(`dd if=/dev/zero of=${device} bs=4096 count=1 oflag=direct`),
      /not permitted/,
    );

    await controller.unpublish(reading, "node-b");
    assert.deepEqual(cluster.controllers(first.nqn), ["live"]);
    await cluster.takeDown(reading, "node-a");
    assert.deepEqual(cluster.exports(), []);
    assert.equal(sh(`md5sum < ${cluster.image(volume)}`), before, "not a byte was written");
    const writing = await cluster.bringUp(volume);
    sh(`touch ${writing.path}/more`);
    await cluster.takeDown(volume);
    await controller.delete(volume);
    cluster.assertNothingLeft();
  },
);
