// kernel: nvme_core.admin_timeout=5
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { dataAddresses } from "../rig/cluster.ts";
import { decisions } from "../rig/decisions.ts";
import { rideOut, withEachKind } from "../rig/outage.ts";
import { Relay } from "../rig/relay.ts";
import { clusterWith } from "../rig/scenario.ts";

const [listening, relayed] = dataAddresses;
const scenario = clusterWith({ dataAddress: relayed });
const brittle = { nrIoQueues: "1", reconnectDelay: "1" };
/** Whether the break meets the moment is chance: the kernel and the relay run side by side. */
const mostOutages = 20;

scenario(
  "a connection that breaks in the moment when it has been made, and says for ever that it is live, is made anew",
  async (cluster) => {
    using relay = await Relay.start(relayed, listening);
    await withEachKind(cluster, brittle, async (volumes) => {
      for (let outage = 0; outage < mostOutages && decisions(cluster, "reset") === 0; outage++)
        await rideOut(volumes, {
          what: "broken again in the moment of its return",
          begin: () => relay.beginTreachery(),
          end: async () => {
            await delay(2_000);
            relay.endTreachery();
          },
        });
      assert.ok(
        decisions(cluster, "reset") > 0,
        `no connection stayed mute in ${mostOutages} outages`,
      );
    });
  },
);
