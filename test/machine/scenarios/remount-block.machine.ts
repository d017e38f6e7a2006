// machine: its own
import assert from "node:assert/strict";
import { retry } from "../rig/retry.ts";
import { clusterWith } from "../rig/scenario.ts";
import { UsedVolume } from "../rig/used-volume.ts";
import { waitFor } from "../rig/wait-for.ts";
import {
  impatient,
  logged,
  untilGone,
  untilSaid,
  withoutMultipath,
} from "../rig/without-multipath.ts";
import { sh } from "../rig/world.ts";

withoutMultipath();
const scenario = clusterWith();

scenario("a short outage without dm-multipath is the kernel's alone", async (cluster) => {
  assert.equal(logged(cluster, "Volumes get no hold: reconnectMode is remount for all of them"), 1);
  using used = await UsedVolume.start(cluster, "ext4");
  await cluster.node().kill();
  await used.lose();
  used.restore();
  await used.goesOn("short, without a hold, plugin down");
  await cluster.node().start();
  await used.finish();
  cluster.assertNothingLeft();
});

scenario(
  "raw block without dm-multipath: a pod's node never leads to another volume, and is there again",
  async (cluster) => {
    const { controller, fabric } = cluster;
    const kubelet = cluster.node();
    const volume = await controller.create({ content: "block", parameters: impatient });
    const { path, nqn } = await cluster.bringUp(volume);
    const read = () =>
      sh(`dd if=${path} bs=4096 count=1 iflag=direct status=none 2>&1 | head -c 5`);
    const nodeAt = () => sh(`stat -c '%F %Hr:%Lr' ${path}`).trim();
    const before = nodeAt();
    sh(`echo first | dd of=${path} bs=4096 conv=sync,fsync status=none`);
    fabric.interrupt(nqn);
    await untilGone(cluster, before.split(" ").at(-1) ?? "");
    const other = await controller.create({ content: "block", parameters: impatient });
    // It is refused its own number while the pod's node has it.
    await retry("another volume is brought up", () => cluster.bringUp(other));
    const otherPath = kubelet.targetPath(other);
    const reused = sh(`stat -c '%F %Hr:%Lr' ${otherPath}`).trim();
    if (reused === before)
      await waitFor("the node is withdrawn", () => nodeAt().startsWith("regular empty file"));
    sh(`echo other | dd of=${otherPath} bs=4096 conv=sync,fsync status=none`);

    fabric.resume(nqn);
    if (reused === before)
      await untilSaid(cluster, volume, /is back under another device.*: restart them$/);
    await waitFor("the node is the volume's again", () => read() === "first");
    assert.notEqual(nodeAt(), reused);
    sh(`echo again | dd of=${path} bs=4096 conv=sync,fsync status=none`);
    assert.equal(sh(`head -c 5 ${otherPath}`), "other");
    process.stdout.write(`The number was ${reused === before ? "" : "not "}used again\n`);
    for (const one of [volume, other]) {
      await cluster.takeDown(one);
      await controller.delete(one);
    }
    cluster.assertNothingLeft();
  },
);
