import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { clusterWith } from "../rig/scenario.ts";
import { UsedVolume } from "../rig/used-volume.ts";
import { waitFor } from "../rig/wait-for.ts";
import { sh } from "../rig/world.ts";

const scenario = clusterWith();
/** The kernel gives up after four seconds. */
const impatient = { ctrlLossTmo: "4", reconnectDelay: "1", keepAliveTmo: "2" };

scenario(
  "a damaged record costs no other volume its watch, nor its own pod the volume",
  async (cluster) => {
    const node = cluster.node();
    using one = await UsedVolume.start(cluster, "ext4", impatient);
    using two = await UsedVolume.start(cluster, "ext4", impatient);
    await node.kill();
    const path = node.recordFile(two.volume);
    const record = readFileSync(path, "utf8");
    writeFileSync(path, record.slice(0, 100));
    await node.start();
    await two.writer.progress();
    const under = one.under();
    await one.lose();
    await waitFor("the kernel gives up", () => cluster.controllers(one.nqn).length === 0);
    one.restore();
    await one.writer.progress();
    assert.notEqual(one.under(), under, "the hold lies on another device");
    await two.writer.progress();
    await assert.rejects(
      node.stats(two.volume),
      new RegExp(`Cannot read "${path}": it is not JSON`),
    );
    await assert.rejects(node.unstage(two.volume), /it is not JSON/);
    assert.equal(sh(`grep -c "its record is damaged" ${node.logFile}`), "1\n");
    assert.deepEqual(cluster.controllers(two.nqn), ["live"]);
    writeFileSync(path, record);
    await two.finish();
    await one.finish();
    cluster.assertNothingLeft();
  },
);

scenario(
  "a restart of the appliance that no plugin saw is told of by the next plugin, and by the one after",
  async (cluster) => {
    const node = cluster.node();
    using used = await UsedVolume.start(cluster, "ext4");
    const condition = () => node.condition(used.volume);
    await waitFor("the volume is well", async () => (await condition())?.abnormal === false);
    await node.kill();
    await used.lose();
    used.restoreWithNewIdentity("another");
    await node.start();
    await used.writer.progress();
    const doubt = await waitFor("the plugin has its doubt", async () => {
      const { abnormal = false, message = "" } = (await condition()) ?? {};
      return abnormal && message.startsWith("The appliance may have crashed") ? message : undefined;
    });
    await node.kill();
    await node.start();
    await waitFor(
      "the next plugin says the same",
      async () => (await condition())?.message === doubt,
    );
    await used.finish();
    cluster.assertNothingLeft();
  },
);
