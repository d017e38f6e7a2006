import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import type { Cluster } from "../rig/cluster.ts";
import { clusterWith } from "../rig/scenario.ts";
import { waitFor } from "../rig/wait-for.ts";
import { sh } from "../rig/world.ts";
import { assertRecords, Writer } from "../rig/writer.ts";

const scenario = clusterWith({ nodes: ["node-a", "node-b"] });

/** Writes one letter all over a device, again and again, whatever comes back. */
function scribble(path: string, letter: string) {
  sh(`head -c 1M /dev/zero | tr '\\0' ${letter} > /run/${letter}`);
  const write = `dd if=/run/${letter} of=${path} bs=1M oflag=direct conv=notrunc,nocreat 2>/dev/null`;
  return spawn("bash", ["-c", `while true; do ${write}; done`], {
    stdio: "ignore",
    detached: true,
  });
}

/** Ends a whole process group, also while the kernel keeps one of it waiting. */
function end(child: ReturnType<typeof scribble>): void {
  process.kill(-(child.pid ?? 0), "SIGKILL");
}

/**
 * Kernel 6.12 gives a connection up that the target refuses; 6.1 tries for ever (`ctrlLossTmo` -1), and whatever
 * waits for it cannot be ended otherwise. It is the remedy that the driver's own message names.
 */
function giveUp(cluster: Cluster, nqn: string): void {
  if (cluster.controllers(nqn).length > 0) sh(`nvme disconnect -n ${nqn}`);
}

scenario(
  "a node that never heard of the end writes on, and nothing of it reaches a file system",
  async (cluster) => {
    const { controller } = cluster;
    const volume = await controller.create({ content: "ext4" });
    const lost = await cluster.bringUp(volume, "node-a");
    using writer = new Writer(`${lost.path}/of-a`);
    await writer.progress();
    await controller.unpublish(volume, "node-a");
    const before = await cluster.bringUp(volume, "node-b");
    const atHandOver = Number(sh(`wc -l < ${before.path}/of-a`));
    assert.ok(atHandOver >= 5, `${atHandOver} records`);
    using other = new Writer(`${before.path}/of-b`);
    await other.progress(20);
    assert.ok(writer.report.flushed <= atHandOver, "what node-a called flushed is all there");
    assert.ok(!cluster.controllers(lost.nqn).includes("live"), "node-a does not get in again");
    assert.equal(Number(sh(`wc -l < ${before.path}/of-a`)), atHandOver);
    assert.deepEqual(cluster.exports(), [before.nqn]);
    const report = await other.stop();
    await cluster.takeDown(volume, "node-b");
    sh(`e2fsck -fn ${cluster.image(volume)}`);

    // Back to the first node, whose pod with the dead mount goes first, as kubelet does it.
    writer[Symbol.dispose]();
    giveUp(cluster, lost.nqn);
    await cluster.node("node-a").unpublish(volume);
    const again = await cluster.bringUp(volume, "node-a");
    assert.match(again.nqn, /\.3-[0-9a-z]{8}$/);
    assert.deepEqual(cluster.controllers(lost.nqn), []);
    assertRecords(`${again.path}/of-b`, report);
    assert.equal(Number(sh(`wc -l < ${again.path}/of-a`)), atHandOver);
    await cluster.takeDown(volume, "node-a");
    sh(`e2fsck -fn ${cluster.image(volume)}`);
    await controller.delete(volume);
    cluster.assertNothingLeft();
  },
);

scenario("the same with a raw block volume under constant writing", async (cluster) => {
  const { controller } = cluster;
  const volume = await controller.create({ content: "block", sizeMiB: 16 });
  const lost = await cluster.bringUp(volume, "node-a");
  const scribbler = scribble(lost.path, "A");
  const image = cluster.image(volume);
  await waitFor(
    "node-a has written",
    () => sh(`head -c 1M ${image} | tr -d 'A' | wc -c`) === "0\n",
  );
  await controller.unpublish(volume, "node-a");
  const { path, nqn } = await cluster.bringUp(volume, "node-b");
  sh(`head -c 16M /dev/zero | tr '\\0' B | dd of=${path} bs=1M iflag=fullblock oflag=direct`);
  // Time enough for several attempts to connect again, each second.
  await delay(5_000);
  assert.equal(sh(`tr -d B < ${image} | wc -c`), "0\n", "the image holds nothing but B");
  assert.ok(!cluster.controllers(lost.nqn).includes("live"));
  assert.deepEqual(cluster.exports(), [nqn]);
  end(scribbler);
  giveUp(cluster, lost.nqn);
  await cluster.takeDown(volume, "node-b");
  await cluster.node("node-a").unpublish(volume);
  await cluster.node("node-a").unstage(volume);
  assert.equal(sh(`tr -d B < ${image} | wc -c`), "0\n");
  await controller.delete(volume);
  cluster.assertNothingLeft();
});

scenario(
  "publishing elsewhere is refused until the first node has been detached",
  async (cluster) => {
    const { controller } = cluster;
    const volume = await controller.create({ content: "ext4" });
    const { nqn } = await cluster.bringUp(volume, "node-a");
    await assert.rejects(controller.publish(volume, "node-b"), {
      code: 9,
      details: /is attached to "node-a" as single-node-writer$/,
    });
    assert.deepEqual(cluster.controllers(nqn), ["live"]);
    await cluster.takeDown(volume, "node-a");
    await controller.delete(volume);
  },
);
