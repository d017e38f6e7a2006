import assert from "node:assert/strict";
import { MiB } from "#lib/bytes.ts";
import type { Content } from "../rig/cluster-volume.ts";
import { clusterWith } from "../rig/scenario.ts";
import { sh } from "../rig/world.ts";
import { assertRecords, Writer } from "../rig/writer.ts";

const scenario = clusterWith({ nodes: ["node-a", "node-b"] });

/** Looks at the image itself, where no cache of a node helps. */
function checkImage(image: string, content: Content): void {
  if (content === "ext4") sh(`e2fsck -fn ${image}`);
  if (content === "xfs") sh(`xfs_repair -n -f ${image}`);
}

function fileSystemMiB(path: string): number {
  return Number(sh(`stat -f -c '%b %S' ${path} | awk '{ print $1 * $2 / 2^20 }'`));
}

for (const [content, sizeMiB] of [
  ["ext4", 64],
  ["xfs", 320],
] as const)
  scenario(`a volume with ${content} lives its whole life, on two nodes`, async (cluster) => {
    const { controller } = cluster;
    const volume = await controller.create({ content, sizeMiB });
    assert.deepEqual(cluster.exports(), [], "it is exported only while it is attached");
    const first = await cluster.bringUp(volume);
    assert.deepEqual(cluster.exports(), [first.nqn]);
    assert.deepEqual(cluster.controllers(first.nqn), ["live"]);

    using writer = new Writer(`${first.path}/records`);
    await writer.progress();
    const former = fileSystemMiB(first.path);
    const larger = sizeMiB + 32;
    assert.equal(await controller.expand(volume, larger), larger * MiB);
    assert.equal(await cluster.node().expand(volume, larger * MiB), larger * MiB);
    const grown = fileSystemMiB(first.path);
    assert.ok(grown >= former + 24, `the file system had ${former} MiB and has ${grown}`);
    await writer.progress();
    const report = await writer.stop();
    assert.equal(report.error, undefined);

    await cluster.takeDown(volume);
    assert.deepEqual(cluster.exports(), []);
    checkImage(cluster.image(volume), content);
    const second = await cluster.bringUp(volume, "node-b");
    assert.match(first.nqn, /\.1-[0-9a-z]{8}$/);
    assert.match(second.nqn, /\.2-[0-9a-z]{8}$/);
    assertRecords(`${second.path}/records`, report);
    await cluster.takeDown(volume, "node-b");
    await controller.delete(volume);
    cluster.assertNothingLeft();
  });
