import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { rideOut, withEachKind } from "../rig/outage.ts";
import { clusterWith } from "../rig/scenario.ts";
import { UsedVolume } from "../rig/used-volume.ts";
import { sh } from "../rig/world.ts";

const scenario = clusterWith();
/** Fewer tries than elsewhere: the kernel's log tells of each. */
const patient = { ctrlLossTmo: "-1", reconnectDelay: "5", keepAliveTmo: "5" };
/** The kernel gives up within the outage. */
const impatient = { ...patient, ctrlLossTmo: "60" };
/**
 * Longer than all time-outs that the kernel has for commands (30 s, 60 s) and for tasks that hang (120 s). Nearly all of it is
 * idle time, which other machines have the processor for.
 */
const awayMs = 300_000;

scenario("an outage of five minutes is a pause, and nothing else", (cluster) =>
  withEachKind(cluster, patient, async (others) => {
    using given = await UsedVolume.start(cluster, "ext4", impatient);
    const volumes = [...others, given];
    await rideOut(volumes, {
      what: "silent loss of five minutes",
      begin: async () => {
        cluster.loseDataNetwork();
        await delay(awayMs);
      },
      until: (used) =>
        cluster.controllers(used.nqn).join() === (used === given ? "" : "connecting"),
      end: async () => {
        for (const { volume } of volumes) {
          const { volumeCondition } = await cluster.node().stats(volume);
          assert.match(volumeCondition?.message ?? "", /being brought back/);
        }
        const state = sh(`dmsetup info -c --noheadings -o suspended rds-csi-${given.nqn}`);
        assert.equal(
          state.trim(),
          "Suspended",
          "what waits in a hold without a path would take a processor",
        );
        const hung = Number(sh("dmesg | grep -c 'blocked for more than' || true"));
        assert.ok(hung > 0, "the kernel has told of tasks that hang");
        cluster.restoreDataNetwork();
      },
    });
    await given.finish();
  }),
);
