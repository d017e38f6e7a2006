import assert from "node:assert/strict";
import { MiB } from "#lib/bytes.ts";
import { killedAt, pointsOf, tellPoints } from "../rig/fault-walk.ts";
import { mortalDriver } from "../rig/programs.ts";
import { clusterWith } from "../rig/scenario.ts";
import { assertStaged } from "../rig/staged-state.ts";
import { sh } from "../rig/world.ts";

const scenario = clusterWith({ nodeCommand: mortalDriver });

function fileSystemMiB(path: string): number {
  return Number(sh(`stat -f -c '%b %S' ${path} | awk '{ print $1 * $2 / 2^20 }'`));
}

scenario("a volume in use grows in whole, wherever the plugin is killed", async (cluster) => {
  const { controller } = cluster;
  const node = cluster.node();
  let sizeMiB = 16;
  const volume = await controller.create({ content: "ext4", sizeMiB });
  const { path, context, nqn } = await cluster.bringUp(volume);
  sh(`head -c 1M /dev/urandom > ${path}/precious; sync ${path}/precious`);
  const precious = sh(`md5sum ${path}/precious`);

  /** The appliance gives it more. @returns kubelet's call, for the node's part. */
  const given = async () => {
    sizeMiB += 8;
    await controller.expand(volume, sizeMiB);
    return () => node.expand(volume, sizeMiB * MiB);
  };
  const points = await pointsOf(await given());
  assert.ok(points.some(({ effect }) => effect === "resize2fs"));
  for (const point of points) {
    const before = fileSystemMiB(path);
    await killedAt(point, cluster, await given());
    assertStaged(cluster, volume, context);
    assert.equal(sh(`dmsetup table rds-csi-${nqn} | cut -d ' ' -f 2`), `${sizeMiB * 2048}\n`);
    const grown = fileSystemMiB(path);
    assert.ok(grown >= before + 7, `the file system had ${before} MiB and has ${grown}`);
    assert.equal(sh(`md5sum ${path}/precious`), precious);
  }
  tellPoints("growing a volume", points);
  await cluster.takeDown(volume);
  cluster.assertWhole(volume);
  await controller.delete(volume);
  cluster.assertNothingLeft();
});
