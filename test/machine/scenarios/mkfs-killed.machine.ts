import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import type { Cluster } from "../rig/cluster.ts";
import { clusterWith } from "../rig/scenario.ts";
import { waitFor } from "../rig/wait-for.ts";
import { sh } from "../rig/world.ts";

const scenario = clusterWith();

/** Stands before the real one in the plugin's PATH: writes a little, then takes for ever. */
const slowMkfs = "/usr/local/sbin/mkfs.ext4";
const program = `#!/bin/bash
for device; do :; done
yes half-made | head -c 64K | dd of=$device oflag=direct iflag=fullblock bs=64K conv=notrunc 2>/dev/null
touch /run/mkfs-is-half-way
exec sleep 1000
`;

/** The same, but goes on when it may, and counts how often it was begun. */
const slowProgram = `${program.replace("exec sleep 1000", "")}
echo $$ >> /run/mkfs-begun
until test -e /run/mkfs-may-go; do sleep 0.2; done
exec /sbin/mkfs.ext4 "$@"
`;

/** How a call ends that kubelet does not wait for any longer. */
const givenUp = /^Error: \d+ (DEADLINE_EXCEEDED|ABORTED)/;

/** Stages a new volume; plugin and mkfs are killed half-way in mkfs, as on a node that loses its power. */
async function killInMkfs(cluster: Cluster) {
  const { controller } = cluster;
  const node = cluster.node();
  const volume = await controller.create({ content: "ext4" });
  const context = await controller.publish(volume, "node-a");
  writeFileSync(slowMkfs, program, { mode: 0o755 });
  const staging = node.stage(volume, context).catch(() => undefined);
  await waitFor("mkfs is half-way", () => existsSync("/run/mkfs-is-half-way"));
  await node.kill();
  sh(`pkill -KILL -x sleep; rm ${slowMkfs} /run/mkfs-is-half-way`);
  await staging;
  await node.start();
  return { volume, context };
}

scenario("a killed mkfs is repeated by the same node under the same NQN", async (cluster) => {
  const { volume, context } = await killInMkfs(cluster);
  const node = cluster.node();
  await node.stage(volume, context);
  const path = await node.publish(volume, context);
  sh(`seq 1000 > ${path}/numbers`);
  await cluster.takeDown(volume);
  sh(`e2fsck -fn ${cluster.image(volume)}`);
  await cluster.controller.delete(volume);
  cluster.assertNothingLeft();
});

scenario(
  "a killed mkfs is not repeated under another NQN: what is there may be somebody's",
  async (cluster) => {
    const { controller } = cluster;
    const { volume, context } = await killInMkfs(cluster);
    const node = cluster.node();
    await controller.unpublish(volume, "node-a");
    const next = await controller.publish(volume, "node-a");
    assert.notEqual(next["nqn"], context["nqn"]);
    const before = sh(`md5sum < ${cluster.image(volume)}`);
    await assert.rejects(node.stage(volume, next), {
      code: 9,
      details: /^Cannot mount volume ".*" as ext4: ".*" holds unknown data$/,
    });
    assert.equal(sh(`md5sum < ${cluster.image(volume)}`), before, "nothing was written");
    assert.deepEqual(cluster.mounts(), []);
    await node.unstage(volume);
    await controller.unpublish(volume, "node-a");
    await controller.delete(volume);
    cluster.assertNothingLeft();
  },
);

scenario(
  "a mkfs that takes longer than calls goes on, and a later call takes it",
  async (cluster) => {
    const { controller } = cluster;
    const node = cluster.node();
    const volume = await controller.create({ content: "ext4" });
    const context = await controller.publish(volume, "node-a");
    writeFileSync(slowMkfs, slowProgram, { mode: 0o755 });
    for (let call = 0; call < 2; call++) {
      await assert.rejects(node.stage(volume, context, 60_000), givenUp);
      assert.ok(existsSync("/run/mkfs-is-half-way"));
    }
    sh(`kill -0 $(cat /run/mkfs-begun)`);
    const staging = node.stage(volume, context);
    writeFileSync("/run/mkfs-may-go", "");
    await staging;
    assert.match(sh("cat /run/mkfs-begun"), /^\d+\n$/, "the only one that was begun");
    sh(`rm ${slowMkfs} /run/mkfs-*`);
    const path = await node.publish(volume, context);
    sh(`seq 1000 > ${path}/numbers`);
    await cluster.takeDown(volume);
    sh(`e2fsck -fn ${cluster.image(volume)}`);
    await controller.delete(volume);
    cluster.assertNothingLeft();
  },
);

scenario("unstaging ends a mkfs that still runs, and leaves nothing", async (cluster) => {
  const { controller } = cluster;
  const node = cluster.node();
  const volume = await controller.create({ content: "ext4" });
  const context = await controller.publish(volume, "node-a");
  writeFileSync(slowMkfs, slowProgram, { mode: 0o755 });
  await assert.rejects(node.stage(volume, context, 60_000), givenUp);
  await node.unstage(volume);
  assert.throws(() => sh(`kill -0 $(cat /run/mkfs-begun)`));
  sh(`rm ${slowMkfs} /run/mkfs-*`);
  await controller.unpublish(volume, "node-a");
  await controller.delete(volume);
  cluster.assertNothingLeft();
});
