// machine: its own
import { test } from "node:test";
import { Cluster } from "../rig/cluster.ts";
import type { ClusterVolume } from "../rig/cluster-volume.ts";
import type { PublishContext } from "../rig/kubelet.ts";
import { logged } from "../rig/node-crash.ts";
import { retry } from "../rig/retry.ts";
import { leaveWhole, losePower, mountDisk, remember, remembered } from "../rig/site.ts";
import { assertRecords, Writer, type WriterReport } from "../rig/writer.ts";

/* The whole site loses its power in the middle of writing: this machine is reset and booted again. */

/** What Kubernetes remembers. */
interface Attached {
  readonly volume: ClusterVolume;
  readonly context: PublishContext;
  readonly report: WriterReport;
}

async function writeUntilTheEnd(cluster: Cluster): Promise<never> {
  const attached: Attached[] = [];
  const writers: Writer[] = [];
  for (const content of ["ext4", "xfs"] as const) {
    const sizeMiB = content === "xfs" ? 320 : 64;
    const volume = await cluster.controller.create({ content, sizeMiB });
    const { path, context } = await cluster.bringUp(volume);
    const writer = new Writer(`${path}/records`);
    writers.push(writer);
    await writer.progress(20);
    attached.push({ volume, context, report: writer.report });
  }
  remember(attached);
  await Promise.all(writers.map((writer) => writer.progress(10)));
  losePower();
}

async function recover(cluster: Cluster, attached: readonly Attached[]): Promise<void> {
  const node = cluster.node();
  await logged(cluster, "Found a volume of an earlier run", attached.length);
  for (const { volume, context, report } of attached) {
    await retry("staging", () => node.stage(volume, context));
    const path = await node.publish(volume, context);
    assertRecords(`${path}/records`, report);
  }
  await leaveWhole(cluster, attached);
}

test("what was flushed is there after appliance and node have lost their power while pods were writing", async () => {
  mountDisk();
  const attached = remembered<Attached[]>();
  const cluster = await Cluster.start({ poolIsReady: true });
  await (attached ? recover(cluster, attached) : writeUntilTheEnd(cluster));
});
