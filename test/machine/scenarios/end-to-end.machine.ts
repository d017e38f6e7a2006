import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Cluster } from "../rig/cluster.ts";
import { sh } from "../rig/world.ts";

let cluster: Cluster;
before(async () => {
  const started = Date.now();
  cluster = await Cluster.start({ nodes: ["node-a", "node-b"] });
  process.stderr.write(`cluster in ${Date.now() - started} ms\n`);
});
after(() => cluster[Symbol.asyncDispose]());

test("first", async () => {
  let t = Date.now();
  const lap = (what: string) => {
    process.stderr.write(`${what} ${Date.now() - t} ms\n`);
    t = Date.now();
  };
  try {
    const volume = await cluster.controller.create({ content: "ext4" });
    lap("create");
    const context = await cluster.controller.publish(volume, "node-a");
    lap("cpublish");
    await cluster.node().stage(volume, context);
    lap("stage");
    const path = await cluster.node().publish(volume, context);
    lap("publish");
    assert.equal(sh(`ls ${path}`), "lost+found\n");
    await cluster.takeDown(volume);
    lap("down");
    await cluster.controller.delete(volume);
    lap("delete");
    cluster.assertNothingLeft();
  } catch (e) {
    process.stdout.write(cluster.logs());
    throw e;
  }
});
