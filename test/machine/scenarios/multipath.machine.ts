import assert from "node:assert/strict";
import { type Cluster, dataAddresses } from "../rig/cluster.ts";
import { decisions } from "../rig/decisions.ts";
import { rideOut, withEachKind } from "../rig/outage.ts";
import { clusterWith } from "../rig/scenario.ts";
import { UsedVolume } from "../rig/used-volume.ts";
import { waitFor } from "../rig/wait-for.ts";

const scenario = clusterWith({ multipath: true });
/** The kernel gives up after four seconds. */
const impatient = { ctrlLossTmo: "4", reconnectDelay: "1", keepAliveTmo: "2" };
const [one, other] = dataAddresses;

async function awaitPaths(volumes: readonly UsedVolume[], ...states: readonly string[]) {
  for (const { cluster, nqn } of volumes)
    await waitFor(`paths of ${nqn} are [${states}]`, () => {
      return cluster.controllers(nqn).toSorted().join() === states.join();
    });
}

/** With one address away the writers go on at the other. */
async function loseOne(cluster: Cluster, volumes: readonly UsedVolume[], address: string) {
  cluster.loseDataNetwork([address]);
  await awaitPaths(volumes, "connecting", "live");
  await Promise.all(volumes.map(({ writer }) => writer.progress(20)));
  cluster.restoreDataNetwork([address]);
  await awaitPaths(volumes, "live", "live");
}

scenario("writers go on while one of two addresses is away, and wait while both are", (cluster) =>
  withEachKind(cluster, undefined, async (volumes) => {
    await awaitPaths(volumes, "live", "live");
    for (const address of [one, other, one, other]) await loseOne(cluster, volumes, address);
    for (const step of ["reset", "pass-errors"])
      assert.equal(
        decisions(cluster, step),
        0,
        `${step}: the other address has answered all the time`,
      );
    await rideOut(volumes, {
      what: "silent loss of both addresses",
      begin: () => cluster.loseDataNetwork(),
      end: () => cluster.restoreDataNetwork([other]),
      renumbers: false,
    });
    await awaitPaths(volumes, "connecting", "live");
    cluster.restoreDataNetwork([one]);
    await awaitPaths(volumes, "live", "live");
    for (const used of volumes)
      assert.equal(cluster.devices(used.nqn).length, 1, "two paths lead to one disk");
  }),
);

scenario("a path that the kernel has given up is connected again", async (cluster) => {
  using used = await UsedVolume.start(cluster, "ext4", impatient);
  await awaitPaths([used], "live", "live");
  cluster.loseDataNetwork([other]);
  await awaitPaths([used], "live");
  await used.writer.progress();
  cluster.restoreDataNetwork([other]);
  await awaitPaths([used], "live", "live");
  await loseOne(cluster, [used], one);
  await used.finish();
  cluster.assertNothingLeft();
});
