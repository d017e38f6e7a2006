import assert from "node:assert/strict";
import { clusterWith } from "../rig/scenario.ts";
import { assertRecords, Writer } from "../rig/writer.ts";

const scenario = clusterWith();

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
  cluster.assertWhole(volume);
  const again = await cluster.bringUp(volume);
  assertRecords(`${again.path}/records`, report);
  await cluster.takeDown(volume);
  await controller.delete(volume);
  cluster.assertNothingLeft();
});
