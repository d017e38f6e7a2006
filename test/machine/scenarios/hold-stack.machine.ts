import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { clusterWith } from "../rig/scenario.ts";
import { UsedVolume } from "../rig/used-volume.ts";
import { waitFor } from "../rig/wait-for.ts";

const scenario = clusterWith();
/** The kernel gives up after four seconds. */
const impatient = { ctrlLossTmo: "4", reconnectDelay: "1", keepAliveTmo: "2" };

for (const content of ["ext4", "xfs", "block"] as const)
  scenario(
    `${content}: a writer sees no error in short outages and with a namespace switched off`,
    async (cluster) => {
      using used = await UsedVolume.start(cluster, content);
      const under = used.under();
      for (let outage = 0; outage < 2; outage++) {
        await used.lose();
        used.restore();
        await used.writer.progress();
      }
      assert.equal(used.under(), under);
      cluster.fabric.setEnabled(used.nqn, false);
      await delay(2_000);
      cluster.fabric.setEnabled(used.nqn, true);
      await used.writer.progress();
      await used.finish();
      cluster.assertNothingLeft();
    },
  );

for (const content of ["ext4", "xfs", "block"] as const)
  scenario(
    `${content}: a writer sees no error when the kernel gives up and the device gets another number`,
    async (cluster) => {
      using used = await UsedVolume.start(cluster, content, impatient);
      const under = used.under();
      await used.lose();
      await waitFor("the kernel gives up", () => cluster.controllers(used.nqn).length === 0);
      await delay(2_000);
      const restoredAt = Date.now();
      used.restore();
      await used.writer.progress();
      process.stdout.write(`# ${content}: writes went on after ${Date.now() - restoredAt} ms\n`);
      assert.notEqual(used.under(), under);
      await used.finish();
      cluster.assertNothingLeft();
    },
  );

for (const content of ["ext4", "xfs", "block"] as const)
  scenario(
    `${content}: a writer sees no error when the namespace comes back with another identity`,
    async (cluster) => {
      using used = await UsedVolume.start(cluster, content);
      const under = used.under();
      await used.lose();
      used.restoreWithNewIdentity(`${content}-after-restart`);
      await used.writer.progress();
      assert.notEqual(used.under(), under);
      await used.finish();
      cluster.assertNothingLeft();
    },
  );
