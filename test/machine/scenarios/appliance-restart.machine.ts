import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { retry } from "../rig/retry.ts";
import { clusterWith } from "../rig/scenario.ts";
import { sh } from "../rig/world.ts";

/** Namespaces have another identity after each start of the appliance, as those of a Linux target have. */
const scenario = clusterWith({ switches: { "namespace-identity": "random" } });

for (const afterMs of [100, 600, 1_200])
  scenario(`staging survives a restart of the appliance, ${afterMs} ms on`, async (cluster) => {
    const { controller, simulator } = cluster;
    const node = cluster.node();
    const volume = await controller.create({ content: "ext4" });
    const context = await controller.publish(volume, "node-a");
    const stages = node.stage(volume, context, 20_000).catch(() => undefined);
    await delay(afterMs);
    await simulator.powerOff();
    await delay(1_000);
    await simulator.powerOn();
    await stages;
    await retry("staging again", () => node.stage(volume, context));
    const path = await node.publish(volume, context);
    sh(`seq 1000 > ${path}/numbers`);
    await cluster.takeDown(volume);
    sh(`e2fsck -fn ${cluster.image(volume)}`);
    const again = await cluster.bringUp(volume);
    assert.equal(sh(`wc -l < ${again.path}/numbers`), "1000\n");
    await cluster.takeDown(volume);
    await controller.delete(volume);
    cluster.assertNothingLeft();
  });

scenario("what was flushed before a restart is there after staging anew", async (cluster) => {
  const { controller, simulator } = cluster;
  const volume = await controller.create({ content: "ext4" });
  const { path, nqn } = await cluster.bringUp(volume);
  sh(`seq 1000 > ${path}/numbers; sync ${path}/numbers`);
  await simulator.reboot();
  await cluster.node().unpublish(volume);
  await retry("unstaging", () => cluster.node().unstage(volume, 20_000));
  const again = await cluster.bringUp(volume);
  assert.equal(again.nqn, nqn, "the attachment outlived the restart");
  assert.equal(sh(`wc -l < ${again.path}/numbers`), "1000\n");
  await cluster.takeDown(volume);
  await controller.delete(volume);
  cluster.assertNothingLeft();
});
