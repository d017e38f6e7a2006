import assert from "node:assert/strict";
import { MiB } from "#lib/bytes.ts";
import { clusterWith } from "../rig/scenario.ts";
import { sh } from "../rig/world.ts";

const scenario = clusterWith({ nodes: ["node-a", "node-b"], pool: "xfs" });

scenario("a raw block volume lives its whole life, on two nodes", async (cluster) => {
  const { controller } = cluster;
  const volume = await controller.create({ content: "block" });
  const first = await cluster.bringUp(volume);
  assert.equal(sh(`blockdev --getsize64 ${first.path}`).trim(), String(64 * MiB));
  sh(`seq -w 99999 | dd of=${first.path} bs=128K count=4 iflag=fullblock oflag=direct`);
  await controller.expand(volume, 96);
  assert.equal(await cluster.node().expand(volume, 96 * MiB), 96 * MiB);
  assert.equal(sh(`blockdev --getsize64 ${first.path}`).trim(), String(96 * MiB));
  await cluster.takeDown(volume);

  const second = await cluster.bringUp(volume, "node-b");
  assert.notEqual(second.nqn, first.nqn);
  const [sum = "", expected = ""] = [
    sh(`dd if=${second.path} bs=128K count=4 iflag=direct | md5sum`),
    sh("seq -w 99999 | head -c 512K | md5sum"),
  ];
  assert.equal(sum, expected);
  await cluster.takeDown(volume, "node-b");
  await controller.delete(volume);
  cluster.assertNothingLeft();
});
