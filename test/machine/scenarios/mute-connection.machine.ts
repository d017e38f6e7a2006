// kernel: nvme_core.admin_timeout=5
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { type Cluster, dataAddresses } from "../rig/cluster.ts";
import { decisions } from "../rig/decisions.ts";
import { rideOut, withEachKind } from "../rig/outage.ts";
import { Relay } from "../rig/relay.ts";
import { clusterWith } from "../rig/scenario.ts";
import { UsedVolume } from "../rig/used-volume.ts";

const [listening, relayed] = dataAddresses;
const scenario = clusterWith({ dataAddress: relayed });
const brittle = { nrIoQueues: "1", reconnectDelay: "1" };
/** Whether the break meets the moment is chance: the kernel and the relay run side by side. */
const mostOutages = 20;

/** Outages until the watch has met a connection that is mute, once more. */
async function muteOnce(cluster: Cluster, relay: Relay, volumes: readonly UsedVolume[]) {
  const where = cluster.holds().length === 0 ? ", without a hold" : "";
  const before = decisions(cluster, "reset");
  for (let outage = 0; decisions(cluster, "reset") === before; outage++) {
    assert.ok(outage < mostOutages, `no connection stayed mute in ${mostOutages} outages`);
    await rideOut(volumes, {
      what: `broken again in the moment of its return${where}`,
      begin: () => relay.beginTreachery(),
      end: async () => {
        await delay(2_000);
        relay.endTreachery();
      },
    });
  }
}

scenario(
  "a connection that breaks in the moment when it has been made, and says for ever that it is live, is made anew",
  async (cluster) => {
    using relay = await Relay.start(relayed, listening);
    await withEachKind(cluster, brittle, (volumes) => muteOnce(cluster, relay, volumes));
  },
);

scenario("the same without a hold", async (cluster) => {
  using relay = await Relay.start(relayed, listening);
  using used = await UsedVolume.start(cluster, "ext4", { ...brittle, reconnectMode: "remount" });
  assert.deepEqual(cluster.holds(), []);
  await muteOnce(cluster, relay, [used]);
  await used.finish();
  cluster.assertNothingLeft();
});
