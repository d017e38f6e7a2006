import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { retry } from "../rig/retry.ts";
import { clusterWith } from "../rig/scenario.ts";
import { sh } from "../rig/world.ts";

const scenario = clusterWith();

/** A stage takes some two seconds here: connect, look for content, mkfs, mount. */
for (const [content, afterMs] of [
  ["ext4", 200],
  ["ext4", 700],
  ["ext4", 1_200],
  ["xfs", 1_000],
  ["xfs", 1_800],
] as const)
  scenario(
    `staging ${content} ends well after the plugin was killed in it, ${afterMs} ms on`,
    async (cluster) => {
      const { controller } = cluster;
      const volume = await controller.create({ content, sizeMiB: content === "xfs" ? 320 : 64 });
      const context = await controller.publish(volume, "node-a");
      const node = cluster.node();
      const stages = node.stage(volume, context).then(
        () => "staged",
        () => "cut short",
      );
      await delay(afterMs);
      await node.kill();
      const outcome = await stages;
      await node.start();
      await retry("staging again", () => node.stage(volume, context));
      const staged = cluster.mounts().filter(({ target }) => target === node.stagingPath(volume));
      assert.deepEqual(
        staged.map(({ fsType }) => fsType),
        [content],
        `one mount, after the first call was ${outcome}`,
      );
      assert.deepEqual(cluster.controllers(context["nqn"] ?? ""), ["live"]);
      const path = await node.publish(volume, context);
      sh(`seq 1000 > ${path}/numbers`);
      await cluster.takeDown(volume);
      const again = await cluster.bringUp(volume);
      assert.equal(sh(`wc -l < ${again.path}/numbers`), "1000\n");
      await cluster.takeDown(volume);
      await controller.delete(volume);
      cluster.assertNothingLeft();
    },
  );
