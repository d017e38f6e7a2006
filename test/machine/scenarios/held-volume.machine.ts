import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { MiB } from "#lib/bytes.ts";
import { Cluster } from "../rig/cluster.ts";
import { type ClusterVolume, isBlock } from "../rig/cluster-volume.ts";
import { retry } from "../rig/retry.ts";
import { waitFor } from "../rig/wait-for.ts";
import { sh } from "../rig/world.ts";
import { Writer } from "../rig/writer.ts";

let cluster: Cluster;
before(async () => {
  cluster = await Cluster.start();
});
after(() => cluster[Symbol.asyncDispose]());
afterEach((context) => {
  if ("passed" in context && !context.passed) process.stdout.write(cluster.logs());
});

function holds(): string {
  return sh("dmsetup ls --target multipath | grep rds-csi- || true");
}

async function remove(volume: ClusterVolume): Promise<void> {
  await cluster.controller.delete(volume);
  assert.equal(holds(), "");
  cluster.assertNothingLeft();
}

for (const content of ["ext4", "block"] as const)
  test(`a ${content} volume lies on a hold from stage to unstage, and grows with it`, async () => {
    const volume = await cluster.controller.create({ content });
    const { path } = await cluster.bringUp(volume);
    assert.match(holds(), /^rds-csi-nqn\.[^\n]*\n$/);
    const [dm] = sh("ls /dev/dm-*").split("\n");
    const shown =
      content === "block" ? sh(`stat -c %Hr:%Lr ${path}`) : sh(`findmnt -n -o MAJ:MIN ${path}`);
    assert.equal(shown.trim(), sh(`stat -c %Hr:%Lr ${dm}`).trim());
    const bytes = 192 * MiB;
    await cluster.controller.expand(volume, 192);
    assert.ok((await cluster.node().expand(volume, bytes)) >= bytes);
    assert.equal(sh(`blockdev --getsize64 ${dm}`), `${bytes}\n`);
    await cluster.takeDown(volume);
    await remove(volume);
  });

test("a pod's writer sees a pause and no error while the network is away, also when its plugin is dead", async () => {
  const volume = await cluster.controller.create({ content: "ext4" });
  const { path, nqn } = await cluster.bringUp(volume);
  using writer = new Writer(`${path}/records`);
  await writer.progress();
  await cluster.node().kill();
  cluster.loseDataNetwork();
  await waitFor("the kernel tries to reconnect", () =>
    cluster.controllers(nqn).includes("connecting"),
  );
  cluster.restoreDataNetwork();
  await writer.progress();
  await cluster.node().start();
  await writer.progress();
  assert.equal((await writer.stop()).error, undefined);
  await cluster.takeDown(volume);
  await remove(volume);
});

test("unstage() ends the holds of volumes that stay away, hangs nowhere, and leaves nothing", async () => {
  const volumes: ClusterVolume[] = [];
  for (const content of ["ext4", "xfs", "block"] as const)
    volumes.push(await cluster.controller.create({ content, sizeMiB: 320 }));
  const nqns: string[] = [];
  for (const volume of volumes) {
    const { path, nqn } = await cluster.bringUp(volume);
    sh(`echo unwritten > ${isBlock(volume) ? path : `${path}/file`}`);
    await cluster.node().unpublish(volume);
    nqns.push(nqn);
  }
  cluster.loseDataNetwork();
  for (const nqn of nqns)
    await waitFor("the kernel tries to reconnect", () =>
      cluster.controllers(nqn).includes("connecting"),
    );
  await Promise.all(
    volumes.map((volume) => retry("unstaging", () => cluster.node().unstage(volume, 60_000))),
  );
  assert.equal(holds(), "");
  assert.deepEqual(cluster.sysfs.list("class", "nvme"), []);
  assert.deepEqual(cluster.mounts(), []);
  assert.deepEqual(cluster.node().records(), []);
  cluster.restoreDataNetwork();
  for (const volume of volumes) {
    await cluster.controller.unpublish(volume, "node-a");
    await cluster.controller.delete(volume);
  }
  cluster.assertNothingLeft();
});
