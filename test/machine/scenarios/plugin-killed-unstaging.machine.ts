import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { retry } from "../rig/retry.ts";
import { clusterWith } from "../rig/scenario.ts";
import { sh } from "../rig/world.ts";
import { assertRecords, Writer } from "../rig/writer.ts";

const scenario = clusterWith();

scenario(
  "unstaging ends well after the plugin was killed in it, at several moments",
  async (cluster) => {
    const { controller } = cluster;
    const node = cluster.node();
    const volume = await controller.create({ content: "ext4" });
    const { nqn, context, path } = await cluster.bringUp(volume);
    sh(`seq 1000 > ${path}/numbers`);
    await node.unpublish(volume);
    for (const afterMs of [30, 150, 300, 600]) {
      const unstages = node.unstage(volume).catch(() => undefined);
      await delay(afterMs);
      await node.kill();
      await unstages;
      await node.start();
      await retry("unstaging again", () => node.unstage(volume));
      assert.deepEqual(cluster.mounts(), []);
      assert.deepEqual(cluster.controllers(nqn), []);
      assert.deepEqual(node.records(), []);
      await node.stage(volume, context);
    }
    await node.publish(volume, context);
    assert.equal(sh(`wc -l < ${path}/numbers`), "1000\n");
    await cluster.takeDown(volume);
    sh(`e2fsck -fn ${cluster.image(volume)}`);
    await controller.delete(volume);
    cluster.assertNothingLeft();
  },
);

scenario("a pod does not notice that the plugin is killed and comes back", async (cluster) => {
  const { controller } = cluster;
  const node = cluster.node();
  const volume = await controller.create({ content: "ext4" });
  const { path, context } = await cluster.bringUp(volume);
  using writer = new Writer(`${path}/records`);
  await writer.progress();
  await node.kill();
  await writer.progress();
  await node.start();
  // Kubelet asks again for what is there already.
  await node.stage(volume, context);
  await node.publish(volume, context);
  assert.equal(cluster.mounts().length, 2, "nothing was mounted twice");
  await writer.progress();
  const report = await writer.stop();
  assert.equal(report.error, undefined);
  await cluster.takeDown(volume);
  const again = await cluster.bringUp(volume);
  assertRecords(`${again.path}/records`, report);
  await cluster.takeDown(volume);
  await controller.delete(volume);
  cluster.assertNothingLeft();
});
