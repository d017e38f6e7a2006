import { interruptAll, resumeAll, rideOut, withEachKind } from "../rig/outage.ts";
import { clusterWith } from "../rig/scenario.ts";
import type { UsedVolume } from "../rig/used-volume.ts";

const scenario = clusterWith();
/** The kernel gives up after four seconds. */
const impatient = { ctrlLossTmo: "4", reconnectDelay: "1", keepAliveTmo: "2" };

/** Its connection is there, and nothing at the end of it. */
function hasNoDevice({ cluster, nqn }: UsedVolume): boolean {
  return cluster.devices(nqn).length === 0;
}

function hasNoController({ cluster, nqn }: UsedVolume): boolean {
  return cluster.controllers(nqn).length === 0;
}

scenario("writers see no error in outages that are shorter than the kernel's patience", (cluster) =>
  withEachKind(cluster, undefined, async (volumes) => {
    for (const what of ["short", "short, once more"])
      await rideOut(volumes, {
        what,
        begin: () => interruptAll(volumes),
        end: () => resumeAll(volumes),
      });
    await rideOut(volumes, {
      what: "silent loss",
      begin: () => cluster.loseDataNetwork(),
      end: () => cluster.restoreDataNetwork(),
      // Nobody has refused it, so the kernel keeps the connection.
      renumbers: false,
    });
  }),
);

scenario("writers see no error when namespaces go and come back, also as others", (cluster) =>
  withEachKind(cluster, undefined, async (volumes) => {
    await rideOut(volumes, {
      what: "namespace switched off",
      begin: () => volumes.map(({ nqn }) => cluster.fabric.setEnabled(nqn, false)),
      until: hasNoDevice,
      end: () => volumes.map(({ nqn }) => cluster.fabric.setEnabled(nqn, true)),
      renumbers: true,
    });
    await rideOut(volumes, {
      what: "back with another identity",
      begin: () => interruptAll(volumes),
      end: () => volumes.map((used) => used.restoreWithNewIdentity(`${used.content} anew`)),
      renumbers: true,
    });
  }),
);

scenario(
  "writers see no error when the kernel gives up, and devices get other numbers",
  (cluster) =>
    withEachKind(cluster, impatient, async (volumes) => {
      await rideOut(volumes, {
        what: "the kernel gives up",
        begin: () => interruptAll(volumes),
        until: hasNoController,
        // In the other order, so that names and numbers go to others.
        end: () => resumeAll(volumes.toReversed()),
        renumbers: true,
      });
      await rideOut(volumes, {
        what: "silent loss, the kernel gives up",
        begin: () => cluster.loseDataNetwork(),
        until: hasNoController,
        end: () => cluster.restoreDataNetwork(),
        renumbers: true,
      });
    }),
);
