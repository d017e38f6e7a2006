import assert from "node:assert/strict";
import { clusterWith } from "../rig/scenario.ts";
import { UsedVolume } from "../rig/used-volume.ts";
import { waitFor } from "../rig/wait-for.ts";
import { sh } from "../rig/world.ts";

const scenario = clusterWith();

scenario("onApplianceRestart: fail holds for a restart that no plugin saw", async (cluster) => {
  const node = cluster.node();
  const patient = { ctrlLossTmo: "-1", reconnectDelay: "1", keepAliveTmo: "2" };
  const parameters = { ...patient, onApplianceRestart: "fail" };
  using used = await UsedVolume.start(cluster, "ext4", parameters);
  await node.kill();
  await used.lose();
  used.restoreWithNewIdentity("another");
  await node.start();
  assert.equal((await used.writer.ended()).error, "EIO");
  await waitFor("the condition says why", async () => {
    const { message = "" } = (await node.condition(used.volume)) ?? {};
    return /onApplianceRestart is fail/.test(message);
  });
  await waitFor("it is disconnected", () => cluster.controllers(used.nqn).length === 0);
  await cluster.takeDown(used.volume);
  // 1: it has put right what the unwritten rest of the journal left.
  sh(`e2fsck -fp ${cluster.image(used.volume)} || test $? -eq 1`);
  const again = await cluster.bringUp(used.volume);
  sh(`echo recovered > ${again.path}/file; sync ${again.path}/file`);
  assert.equal((await node.condition(used.volume))?.abnormal, false);
  await cluster.takeDown(used.volume);
  await cluster.controller.delete(used.volume);
  cluster.assertNothingLeft();
});
