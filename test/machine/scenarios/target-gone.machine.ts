import assert from "node:assert/strict";
import { retry } from "../rig/retry.ts";
import { clusterWith } from "../rig/scenario.ts";
import { waitFor } from "../rig/wait-for.ts";
import { sh } from "../rig/world.ts";

/** An unstaging that finds the target away goes on once it is back, which a busy host may make slow. */
const scenario = clusterWith({ nodeConfig: { deviceTimeout: "30s" } });

scenario(
  "unstaging while the target is gone does not succeed, and does once it is back",
  async (cluster) => {
    const { controller, fabric } = cluster;
    const volume = await controller.create({ content: "ext4" });
    const { path, nqn } = await cluster.bringUp(volume);
    sh(`seq 1000 > ${path}/numbers`);
    fabric.interrupt(nqn);
    await waitFor("the connection is lost", () => cluster.controllers(nqn).join() === "connecting");
    await cluster.node().unpublish(volume);
    await assert.rejects(cluster.node().unstage(volume, 5_000), { code: 4 });
    assert.deepEqual(cluster.node().records().length, 1, "the node still answers for it");
    fabric.resume(nqn);
    await waitFor("the volume is unstaged", () =>
      cluster
        .node()
        .unstage(volume)
        .then(
          () => true,
          () => undefined,
        ),
    );
    assert.deepEqual(cluster.controllers(nqn), []);
    await controller.unpublish(volume, "node-a");
    const again = await cluster.bringUp(volume);
    assert.equal(
      sh(`wc -l < ${again.path}/numbers`),
      "1000\n",
      "what was not flushed came through",
    );
    await cluster.takeDown(volume);
    await controller.delete(volume);
    cluster.assertNothingLeft();
  },
);

scenario(
  "a namespace that is switched off leaves no device, and comes back to a new stage",
  async (cluster) => {
    const { controller, fabric } = cluster;
    const volume = await controller.create({ content: "ext4" });
    const { path, nqn } = await cluster.bringUp(volume);
    sh(`seq 1000 > ${path}/numbers; sync ${path}/numbers`);
    fabric.setEnabled(nqn, false);
    await waitFor("the device is gone", () => sh("ls /dev").match(/nvme\d+n\d+/) === null);
    assert.deepEqual(cluster.controllers(nqn), ["live"]);
    await cluster.node().unpublish(volume);
    await cluster.node().unstage(volume);
    assert.deepEqual(cluster.controllers(nqn), []);
    fabric.setEnabled(nqn, true);
    const again = await cluster.bringUp(volume);
    assert.equal(again.nqn, nqn, "the attachment is the same");
    assert.equal(sh(`wc -l < ${again.path}/numbers`), "1000\n");
    await cluster.takeDown(volume);
    await controller.delete(volume);
    cluster.assertNothingLeft();
  },
);

scenario(
  "what was not flushed survives a target that returns with another identity while the volume is unstaged",
  async (cluster) => {
    const { controller, simulator } = cluster;
    simulator.switches.set("namespace-identity", "random");
    const volume = await controller.create({ content: "ext4" });
    const { path, nqn } = await cluster.bringUp(volume);
    sh(`seq 1000 > ${path}/numbers`);
    await simulator.powerOff();
    await waitFor("the connection is lost", () => cluster.controllers(nqn).join() === "connecting");
    await cluster.node().unpublish(volume);
    // It has the volume's lock from now on, so that the watch leaves it alone.
    const first = cluster
      .node()
      .unstage(volume)
      .catch(() => undefined);
    await simulator.powerOn();
    await first;
    await retry("unstaging", () => cluster.node().unstage(volume));
    assert.deepEqual(cluster.controllers(nqn), []);
    sh(`e2fsck -fn ${cluster.image(volume)}`);
    const again = await cluster.bringUp(volume);
    assert.equal(sh(`wc -l < ${again.path}/numbers`), "1000\n");
    await cluster.takeDown(volume);
    await controller.delete(volume);
    cluster.assertNothingLeft();
  },
);
