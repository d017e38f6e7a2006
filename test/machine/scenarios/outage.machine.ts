import assert from "node:assert/strict";
import { clusterWith } from "../rig/scenario.ts";
import { waitFor } from "../rig/wait-for.ts";
import { sh } from "../rig/world.ts";
import { assertRecords, Writer } from "../rig/writer.ts";

const scenario = clusterWith({ switches: { "namespace-identity": "stable" } });

for (const [content, sizeMiB] of [
  ["ext4", 64],
  ["xfs", 320],
] as const)
  scenario(
    `a pod on ${content} rides out three kinds of outage without an error`,
    async (cluster) => {
      const { controller, fabric, simulator } = cluster;
      const volume = await controller.create({ content, sizeMiB });
      const { path, nqn } = await cluster.bringUp(volume);
      using writer = new Writer(`${path}/records`);
      await writer.progress();
      const pause = async (begin: () => unknown, end: () => unknown) => {
        await begin();
        await waitFor(
          "the connection is lost",
          () => cluster.controllers(nqn).join() === "connecting",
        );
        const { flushed } = writer.report;
        await end();
        await waitFor("the connection is back", () => cluster.controllers(nqn).join() === "live");
        await writer.progress();
        assert.ok(writer.report.flushed > flushed);
      };
      await pause(
        () => fabric.interrupt(nqn),
        () => fabric.resume(nqn),
      );
      await pause(
        () => cluster.loseDataNetwork(),
        () => cluster.restoreDataNetwork(),
      );
      await pause(
        () => simulator.powerOff(),
        () => simulator.powerOn(),
      );
      const report = await writer.stop();
      assert.equal(report.error, undefined);
      await cluster.takeDown(volume);
      const image = cluster.image(volume);
      sh(content === "xfs" ? `xfs_repair -n -f ${image}` : `e2fsck -fn ${image}`);
      const again = await cluster.bringUp(volume);
      assertRecords(`${again.path}/records`, report);
      await cluster.takeDown(volume);
      await controller.delete(volume);
      cluster.assertNothingLeft();
    },
  );
