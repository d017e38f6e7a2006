import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { clusterWith } from "../rig/scenario.ts";
import { UsedVolume } from "../rig/used-volume.ts";
import { waitFor } from "../rig/wait-for.ts";

const scenario = clusterWith();
/** The kernel gives up after four seconds. */
const impatient = { ctrlLossTmo: "4", reconnectDelay: "1", keepAliveTmo: "2" };

scenario(
  "a plugin that is dead before, in and after a short outage delays nobody",
  async (cluster) => {
    // The first outage takes one of the hold's two paths, which nobody reinstates: a pause of the machine must be none.
    const parameters = { ctrlLossTmo: "-1", reconnectDelay: "1", keepAliveTmo: "30" };
    using used = await UsedVolume.start(cluster, "ext4", parameters);
    await cluster.node().kill();
    await used.lose();
    used.restore();
    await used.goesOn("short, the plugin is dead");
    await cluster.node().start();
    await used.finish();
    cluster.assertNothingLeft();
  },
);

scenario(
  "a plugin that starts after the device got another number puts the hold on it",
  async (cluster) => {
    using used = await UsedVolume.start(cluster, "xfs");
    const under = used.under();
    await cluster.node().kill();
    await used.lose();
    used.restoreWithNewIdentity("while the plugin is dead");
    await waitFor("the kernel connects", () => used.isLive());
    await used.writer.stalls();
    assert.equal(used.under(), under, "nobody else does it");
    await cluster.node().start();
    await used.goesOn("back with another identity, the plugin is dead");
    assert.notEqual(used.under(), under);
    await used.finish();
    cluster.assertNothingLeft();
  },
);

scenario(
  "a plugin that was killed in an outage puts the hold on the new device when it is back",
  async (cluster) => {
    using used = await UsedVolume.start(cluster, "ext4", impatient);
    const under = used.under();
    await used.lose();
    await cluster.node().kill();
    await waitFor("the kernel gives up", () => cluster.controllers(used.nqn).length === 0);
    used.restore();
    await delay(2_000);
    assert.deepEqual(cluster.controllers(used.nqn), [], "nobody connects while the plugin is dead");
    await cluster.node().start();
    await used.goesOn("the kernel gives up, the plugin is dead");
    assert.notEqual(used.under(), under);
    await used.finish();
    cluster.assertNothingLeft();
  },
);
