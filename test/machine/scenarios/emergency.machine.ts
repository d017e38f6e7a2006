import assert from "node:assert/strict";
import { status } from "@grpc/grpc-js";
import type { Cluster } from "../rig/cluster.ts";
import { rideOut, withEachKind } from "../rig/outage.ts";
import { PoolSpace } from "../rig/pool-space.ts";
import { clusterWith } from "../rig/scenario.ts";
import type { UsedVolume } from "../rig/used-volume.ts";
import { waitFor } from "../rig/wait-for.ts";

/** Of 3 GiB: exports go off below 300 MiB, and come back with 600. What is free says the file system itself. */
const scenario = clusterWith({
  limits: { reserve: "20%", emergency: "10%" },
  switches: { allocation: "host" },
});
const leftMiB = 150;

function comments(cluster: Cluster, volumes: readonly UsedVolume[]): string[] {
  return volumes.map(({ volume }) => String(cluster.disk(volume)?.settings.get("comment")));
}

/** Nobody gets a volume of the pool, whether it has one already or not. */
async function assertShut({ controller }: Cluster, { volume }: UsedVolume): Promise<void> {
  const idle = await controller.create({ content: "block" }).catch((error: unknown) => error);
  assert.equal((idle as { code?: unknown }).code, status.RESOURCE_EXHAUSTED);
  await assert.rejects(controller.publish(volume, "node-a"), {
    code: status.UNAVAILABLE,
    message: /has run full, and its exports are off until 20% of it is free/,
  });
}

scenario(
  "writers on a pool that runs full wait before it is full, and go on when there is room: no error, and nothing lost",
  (cluster) =>
    withEachKind(cluster, undefined, async (volumes) => {
      using space = new PoolSpace("/appliance/storage-pool");
      const [first] = volumes;
      assert.ok(first);
      const before = cluster.exports();
      await rideOut(volumes, {
        what: "the pool ran full",
        begin: async () => {
          space.fillBut(leftMiB);
          await waitFor("the exports are taken off", () => cluster.exports().length === 0);
          for (const comment of comments(cluster, volumes)) assert.match(comment, / halted=1\b/);
          await assertShut(cluster, first);
        },
        end: async () => {
          space.free();
          await waitFor("the exports are back", () => cluster.exports().length === volumes.length);
        },
      });
      assert.deepEqual(cluster.exports().toSorted(), before.toSorted(), "under the same names");
      await waitFor("no volume waits any more", () =>
        comments(cluster, volumes).every((comment) => !comment.includes("halted")),
      );
    }),
);

scenario(
  "a controller that starts while a pool is shut keeps it shut, and a volume leaves its node meanwhile",
  (cluster) =>
    withEachKind(cluster, undefined, async (volumes) => {
      const { controller } = cluster;
      const idle = await controller.create({ content: "ext4" });
      await cluster.bringUp(idle);
      using space = new PoolSpace("/appliance/storage-pool");
      await rideOut(volumes, {
        what: "the pool ran full, and the controller died",
        begin: async () => {
          space.fillBut(leftMiB);
          await waitFor("the exports are taken off", () => cluster.exports().length === 0);
          await controller.kill();
          await controller.start();
          await cluster.takeDown(idle);
          await controller.delete(idle);
          assert.deepEqual(cluster.exports(), []);
        },
        end: () => space.free(),
      });
      assert.equal(cluster.exports().length, volumes.length);
    }),
);
