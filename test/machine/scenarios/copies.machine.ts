import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { release } from "node:os";
import type { Cluster } from "../rig/cluster.ts";
import type { Content } from "../rig/cluster-volume.ts";
import { clusterWith } from "../rig/scenario.ts";
import { sh } from "../rig/world.ts";
import { assertRecords, Writer } from "../rig/writer.ts";

const scenario = clusterWith();
const sizeMiB = 320;
const copyMiB = 384;

/** Looks at the image itself, where no cache of a node helps. */
const checkers: Readonly<Record<Content, string>> = {
  ext4: "e2fsck -fn",
  xfs: "xfs_repair -n -f",
  btrfs: "btrfs check",
  block: "true",
};

/** A volume that is being written to, and a larger one with what was in it at one moment. */
async function copyInUse(cluster: Cluster, content: Content) {
  const { controller } = cluster;
  const volume = await controller.create({ content, sizeMiB });
  const source = await cluster.bringUp(volume);
  const writer = new Writer(`${source.path}/records`);
  await writer.progress();
  const before = writer.report;
  const clone = { volume: { volumeId: volume.id } };
  const copy = await controller.create({ content, sizeMiB: copyMiB, source: clone });
  await writer.progress(2);
  const context = await controller.publish(copy, "node-a");
  return { volume, source, writer, copy, context, before };
}

function fileSystemMiB(path: string): number {
  return Number(sh(`stat -f -c '%b %S' ${path} | awk '{ print $1 * $2 / 2^20 }'`));
}

function countRecords(path: string): number {
  return readFileSync(path, "latin1").split("\n").length - 1;
}

/** Whether Linux mounts two Btrfs with one UUID: since 6.7. */
function mountsBtrfsTwins(): boolean {
  const [major = 0, minor = 0] = release().split(".").map(Number);
  return major > 6 || (major === 6 && minor >= 7);
}

const besideTheirSource = [
  "xfs",
  "ext4",
  ...(mountsBtrfsTwins() ? (["btrfs"] as const) : []),
] as const;

for (const content of besideTheirSource)
  scenario(
    `a copy of a volume with ${content} that is written to is used beside its source, and is larger`,
    async (cluster) => {
      const { controller } = cluster;
      const node = cluster.node();
      const { volume, source, writer, copy, context, before } = await copyInUse(cluster, content);
      using _ = writer;
      await node.stage(copy, context);
      const path = await node.publish(copy, context);
      assertRecords(`${path}/records`, before);
      assert.ok(countRecords(`${path}/records`) <= writer.report.flushed + 1);
      const [had, has] = [fileSystemMiB(source.path), fileSystemMiB(path)];
      assert.ok(has >= had + 48, `the source has ${had} MiB, the copy ${has}`);

      using other = new Writer(`${path}/records-of-the-copy`);
      await Promise.all([writer.progress(), other.progress()]);
      // The plugin that comes back finds both, and kubelet asks again for what is there.
      await node.kill();
      await node.start();
      await node.stage(copy, context);
      await node.stage(volume, source.context);
      await Promise.all([writer.progress(), other.progress()]);
      const report = await writer.stop();
      assert.equal(report.error, undefined);
      assert.equal((await node.condition(copy))?.abnormal, false);

      // Now it is the source that meets its copy.
      await cluster.takeDown(volume);
      const again = await cluster.bringUp(volume);
      assertRecords(`${again.path}/records`, report);
      const copied = await other.stop();
      assert.equal(copied.error, undefined);
      await cluster.takeDown(copy);
      await node.stage(copy, await controller.publish(copy, "node-a"));
      assertRecords(`${node.stagingPath(copy)}/records-of-the-copy`, copied);
      for (const each of [copy, volume]) {
        const image = cluster.image(each);
        await cluster.takeDown(each);
        sh(`${checkers[content]} ${image}`);
        await controller.delete(each);
      }
      cluster.assertNothingLeft();
    },
  );

if (!mountsBtrfsTwins())
  scenario(
    "a copy of a Btrfs is refused beside its source by a kernel that cannot tell them apart, and used after it",
    async (cluster) => {
      const { controller } = cluster;
      const node = cluster.node();
      const { volume, writer, copy, context, before } = await copyInUse(cluster, "btrfs");
      using _ = writer;
      await assert.rejects(node.stage(copy, context), {
        code: 9,
        details: new RegExp(
          `^Cannot mount volume "${copy.id}" beside volume "${volume.id}" on one node: `,
        ),
      });
      await writer.progress();
      assert.equal((await writer.stop()).error, undefined);
      await cluster.takeDown(volume);
      await node.stage(copy, context);
      assertRecords(`${await node.publish(copy, context)}/records`, before);
      await cluster.takeDown(copy);
      for (const each of [copy, volume]) {
        sh(`${checkers.btrfs} ${cluster.image(each)}`);
        await controller.delete(each);
      }
      cluster.assertNothingLeft();
    },
  );
