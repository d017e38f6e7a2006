import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { MiB } from "#lib/bytes.ts";
import type { Cluster } from "../rig/cluster.ts";
import { interruptAll, resumeAll, rideOut, withEachKind } from "../rig/outage.ts";
import { retry } from "../rig/retry.ts";
import { clusterWith } from "../rig/scenario.ts";
import type { UsedVolume } from "../rig/used-volume.ts";
import { waitFor } from "../rig/wait-for.ts";
import { sh } from "../rig/world.ts";

/** Namespaces have another identity after each start of the appliance, as those of a Linux target have. */
const scenario = clusterWith({ switches: { "namespace-identity": "random" } });

scenario("writers see no error when the appliance restarts under them", (cluster) =>
  withEachKind(cluster, undefined, async (volumes) => {
    const { simulator } = cluster;
    for (const identity of ["random", "random", "stable"] as const) {
      simulator.switches.set("namespace-identity", identity);
      await rideOut(volumes, {
        what: `the appliance restarts, ${identity} identity`,
        begin: () => simulator.powerOff(),
        end: () => simulator.powerOn(),
        ...(identity === "random" && { renumbers: true }),
      });
    }
    simulator.switches.set("namespace-identity", "random");
  }),
);

/** The controller expands while the node is cut off, which does not learn of it. */
async function expandInOutage(cluster: Cluster, volumes: readonly UsedVolume[], sizeMiB: number) {
  for (const { volume } of volumes) await cluster.controller.expand(volume, sizeMiB);
  await Promise.all(
    volumes.map(({ volume }) =>
      assert.rejects(cluster.node().expand(volume, sizeMiB * MiB), isClearRefusal),
    ),
  );
}

/** The device is not there, or the watch is just trying to bring it back. */
function isClearRefusal({ code, message }: Error & { readonly code?: number }): boolean {
  return code === 10 || (code === 14 && /Cannot .*"nqn\./.test(message));
}

async function assertGrows(cluster: Cluster, used: UsedVolume, sizeMiB: number): Promise<void> {
  const bytes = sizeMiB * MiB;
  await retry("growing", () => cluster.node().expand(used.volume, bytes));
  const hold = `rds-csi-${used.nqn}`;
  assert.equal(sh(`dmsetup table ${hold} | cut -d ' ' -f 2`), `${bytes / 512}\n`);
  // What a guest has on its raw block volume is its own to grow.
  if (used.guest !== undefined) return;
  const [blockBytes = 0, blocks = 0] = sh(`stat -f -c '%S %b' ${used.mountPoint}`)
    .split(" ")
    .map(Number);
  assert.ok(blockBytes * blocks > 0.75 * bytes, `${blocks} blocks of ${blockBytes} bytes`);
}

scenario("volumes that the controller expands in an outage grow after it", (cluster) =>
  withEachKind(cluster, undefined, async (volumes) => {
    const outages = [
      {
        sizeMiB: 400,
        what: "silent loss, expanded meanwhile",
        lose: () => cluster.loseDataNetwork(),
        end: () => cluster.restoreDataNetwork(),
      },
      {
        sizeMiB: 480,
        what: "back with another identity and size",
        lose: () => interruptAll(volumes),
        end: () => volumes.map((used) => used.restoreWithNewIdentity(`${used.content} larger`)),
      },
    ];
    for (const { sizeMiB, what, lose, end } of outages) {
      const begin = async () => {
        lose();
        for (const used of volumes) await waitFor("the loss is noticed", () => !used.isLive());
        await expandInOutage(cluster, volumes, sizeMiB);
      };
      await rideOut(volumes, { what, begin, end });
      for (const used of volumes) await assertGrows(cluster, used, sizeMiB);
    }
  }),
);

scenario("writers survive a target that accepts connections and drops them", (cluster) =>
  withEachKind(cluster, undefined, async (volumes) => {
    const flap = async () => {
      for (let second = 0; second < 15; second++) {
        interruptAll(volumes);
        await delay(500);
        resumeAll(volumes);
        await delay(500);
      }
      interruptAll(volumes);
    };
    await rideOut(volumes, {
      what: "15 short ones in a row",
      begin: flap,
      end: () => resumeAll(volumes),
    });
    for (const { nqn } of volumes) {
      await waitFor("one connection is live", () => cluster.controllers(nqn).join() === "live");
      assert.equal(cluster.devices(nqn).length, 1);
    }
    assert.equal(cluster.sysfs.list("class", "nvme").length, volumes.length, "no more than that");
  }),
);
