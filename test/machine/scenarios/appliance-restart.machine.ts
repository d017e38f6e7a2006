import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { Cluster } from "../rig/cluster.ts";
import { retry } from "../rig/retry.ts";
import { clusterWith } from "../rig/scenario.ts";
import { waitFor } from "../rig/wait-for.ts";
import { sh } from "../rig/world.ts";

/** Namespaces have another identity after each start of the appliance, as those of a Linux target have. */
const scenario = clusterWith({ switches: { "namespace-identity": "random" } });

/** How far a node is with staging when the appliance restarts. */
const moments = {
  "has just been asked": () => true,
  "has its connection": (cluster: Cluster) => cluster.sysfs.list("class", "nvme").length > 0,
  "has its hold": (cluster: Cluster) => cluster.holds().length > 0,
} as const;

const played: readonly { content: "ext4" | "xfs" | "block"; moment: keyof typeof moments }[] = [
  { content: "ext4", moment: "has just been asked" },
  { content: "ext4", moment: "has its connection" },
  { content: "ext4", moment: "has its hold" },
  { content: "xfs", moment: "has its hold" },
  { content: "block", moment: "has its connection" },
];

for (const { content, moment } of played)
  scenario(
    `staging a volume with ${content} survives that the appliance restarts when the node ${moment}`,
    async (cluster) => {
      const { controller, simulator } = cluster;
      const node = cluster.node();
      const volume = await controller.create({ content, sizeMiB: content === "xfs" ? 320 : 64 });
      const context = await controller.publish(volume, "node-a");
      const stages = node.stage(volume, context, 20_000).catch(() => undefined);
      await waitFor(`the node ${moment}`, () => moments[moment](cluster));
      await simulator.powerOff();
      await delay(1_000);
      await simulator.powerOn();
      await stages;
      const fileIn = (path: string) => (content === "block" ? path : `${path}/numbers`);
      const path = await retry("staging again, and publishing", async () => {
        await node.stage(volume, context);
        return await node.publish(volume, context);
      });
      const file = fileIn(path);
      sh(`seq 1000 | dd of=${file} conv=notrunc`);
      await cluster.takeDown(volume);
      cluster.assertWhole(volume);
      const again = await cluster.bringUp(volume);
      assert.equal(sh(`head -n 1000 ${fileIn(again.path)}`), sh("seq 1000"));
      await cluster.takeDown(volume);
      await controller.delete(volume);
      cluster.assertNothingLeft();
    },
  );

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
