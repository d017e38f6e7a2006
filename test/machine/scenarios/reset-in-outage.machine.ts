// machine: its own
import assert from "node:assert/strict";
import { test } from "node:test";
import { Cluster } from "../rig/cluster.ts";
import type { ClusterVolume } from "../rig/cluster-volume.ts";
import { fill, othersThan } from "../rig/fenced.ts";
import type { PublishContext } from "../rig/kubelet.ts";
import { logged } from "../rig/node-crash.ts";
import { retry } from "../rig/retry.ts";
import { leaveWhole, losePower, mountDisk, remember, remembered } from "../rig/site.ts";
import { waitFor } from "../rig/wait-for.ts";
import { assertRecords, Writer, type WriterReport } from "../rig/writer.ts";

/*
 * The node, which is this machine, is reset in an outage. It boots with a kernel that knows nothing of the volumes
 * that were staged, before the appliance has its power back.
 */

/** What Kubernetes remembers. */
interface Attached {
  readonly volume: ClusterVolume;
  readonly context: PublishContext;
  /** Of a raw block volume there is none: a pod has filled its beginning with the letter A. */
  readonly report?: WriterReport;
}

const sizes = { ext4: 64, xfs: 320, block: 16 } as const;

async function loseAll(cluster: Cluster): Promise<never> {
  const attached: Attached[] = [];
  const writers: Writer[] = [];
  for (const content of ["ext4", "xfs", "block"] as const) {
    const volume = await cluster.controller.create({ content, sizeMiB: sizes[content] });
    const { path, context } = await cluster.bringUp(volume);
    if (content === "block") await fill(path, "A", "oflag=direct conv=fsync");
    else writers.push(new Writer(`${path}/records`));
    attached.push({ volume, context });
  }
  await Promise.all(writers.map((writer) => writer.progress(20)));
  cluster.loseDataNetwork();
  for (const { context } of attached)
    await waitFor("the connection is lost", () => !isLive(cluster, context));
  await Promise.all(writers.map((writer) => writer.stalls()));
  const reports = writers.map(({ report }) => report);
  remember(attached.map((each, index) => ({ ...each, report: reports[index] })));
  losePower();
}

function isLive(cluster: Cluster, { nqn = "" }: PublishContext): boolean {
  return cluster.controllers(nqn).includes("live");
}

/** A clear error in time, and neither mount nor hold. */
async function assertNotStaged(cluster: Cluster, { volume, context }: Attached): Promise<void> {
  await assert.rejects(cluster.node().stage(volume, context, 60_000), {
    code: 14,
    details: new RegExp(`^Cannot .*${context["nqn"]}`),
  });
  assert.deepEqual(cluster.mounts(), []);
  assert.deepEqual(cluster.holds(), []);
  // the watch tries as well: a controller that is not live may be there
  assert.equal(isLive(cluster, context), false);
}

async function recover(cluster: Cluster, attached: readonly Attached[]): Promise<void> {
  const node = cluster.node();
  const found = await logged(cluster, "Found a volume of an earlier run", attached.length);
  assert.deepEqual(
    found.map(({ phase, hold, mounted }) => ({ phase, hold, mounted })),
    attached.map(() => ({ phase: "staged", hold: undefined, mounted: undefined })),
  );
  for (const each of attached) await assertNotStaged(cluster, each);
  await cluster.simulator.powerOn();
  for (const { volume, context, report } of attached) {
    await retry("staging", () => node.stage(volume, context));
    const path = await node.publish(volume, context);
    if (report !== undefined) assertRecords(`${path}/records`, report);
    else assert.equal(othersThan("A", `<(head -c 4M ${path})`), "0");
  }
  await leaveWhole(cluster, attached);
}

test("a node that is reset in an outage waits for the appliance, and stages all volumes with what was flushed", async () => {
  mountDisk();
  const attached = remembered<Attached[]>();
  const cluster = await Cluster.start({
    poolIsReady: true,
    applianceIsOff: attached !== undefined,
  });
  await (attached ? recover(cluster, attached) : loseAll(cluster));
});
