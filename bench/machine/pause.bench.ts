import { setTimeout as delay } from "node:timers/promises";
import { Cluster } from "../../test/machine/rig/cluster.ts";
import { UsedVolume } from "../../test/machine/rig/used-volume.ts";
import { waitFor } from "../../test/machine/rig/wait-for.ts";
import { percentile } from "../table.ts";
import { tellFigure } from "./tell-figure.ts";

/* A program of the machine: how long a pod's writes still wait once the target is back. */
const reconnectDelaySeconds = 1;
const rounds = 4;
const tried = { reconnectDelay: String(reconnectDelaySeconds), keepAliveTmo: "2" };

interface Outage {
  readonly what: string;
  readonly ctrlLossTmo: string;
  /** Connections of the volume, when the target may come back. */
  readonly until: string;
  readonly end: (used: UsedVolume, round: number) => void;
}

const outages: readonly Outage[] = [
  {
    what: "back as it was",
    ctrlLossTmo: "-1",
    until: "connecting",
    end: (used) => used.restore(),
  },
  {
    what: "back under a new identity",
    ctrlLossTmo: "-1",
    until: "connecting",
    end: (used, round) => used.restoreWithNewIdentity(`${used.nqn} ${round}`),
  },
  {
    what: "back after the kernel had given up",
    ctrlLossTmo: "2",
    until: "",
    end: (used) => used.restore(),
  },
];

/** Milliseconds from the return of the target to the first record that was flushed. */
async function pause(used: UsedVolume, { until, end }: Outage, round: number): Promise<number> {
  const { cluster, nqn, writer } = used;
  cluster.fabric.interrupt(nqn);
  await waitFor(`controllers are [${until}]`, () => cluster.controllers(nqn).join() === until);
  // A record that was flushed before is reported a moment later.
  await delay(1_500);
  const { flushed } = writer.report;
  end(used, round);
  const startedAt = performance.now();
  await waitFor("a record is flushed", () => writer.report.flushed > flushed);
  const took = performance.now() - startedAt;
  await writer.progress();
  await waitFor("the connection is live", () => used.isLive());
  return took;
}

async function tell(cluster: Cluster, outage: Outage): Promise<void> {
  const { what, ctrlLossTmo } = outage;
  using used = await UsedVolume.start(cluster, "ext4", { ...tried, ctrlLossTmo });
  const pauses: number[] = [];
  for (let round = 0; round < rounds; round++) pauses.push(await pause(used, outage, round));
  await used.finish();
  const told = `pause of a writing pod, target ${what}, reconnectDelay ${reconnectDelaySeconds} s`;
  const inSeconds = (share: number) => percentile(pauses, share) / 1_000;
  tellFigure({
    what: `${told}: longest of ${rounds}`,
    measured: inSeconds(1),
    unit: "s",
    atMost: reconnectDelaySeconds + 3,
  });
}

{
  await using cluster = await Cluster.start();
  for (const outage of outages) await tell(cluster, outage);
}
process.exit(0);
