import assert from "node:assert/strict";
import type { Cluster } from "../rig/cluster.ts";
import type { ClusterVolume } from "../rig/cluster-volume.ts";
import { Crowd } from "../rig/crowd.ts";
import type { PublishContext } from "../rig/kubelet.ts";
import { retry } from "../rig/retry.ts";
import { clusterWith } from "../rig/scenario.ts";
import { tellPause } from "../rig/tell-pause.ts";
import { waitFor } from "../rig/wait-for.ts";
import { sh } from "../rig/world.ts";

const scenario = clusterWith();
/** Staged first, and given up by the kernel in the outage: each gets another device. */
const few = 8;
/** As many as an emulated machine stages in a minute or two; on a fast host, set VOLUMES to 64 or 100. */
const many = Number(process.env["VOLUMES"] ?? 24);
/** Longer than that no step of the many may take, all of them at once in an emulated machine. */
const limitMs = 300_000;

const impatient = { ctrlLossTmo: "4", reconnectDelay: "1", keepAliveTmo: "5", nrIoQueues: "1" };
const patient = { ...impatient, ctrlLossTmo: "-1" };

interface Attached {
  readonly volume: ClusterVolume;
  readonly context: PublishContext;
}

async function attach(cluster: Cluster, count: number, parameters: Record<string, string>) {
  const { controller } = cluster;
  const one = async () => {
    const volume = await controller.create({ content: "ext4", sizeMiB: 24, parameters });
    return { volume, context: await controller.publish(volume, "node-a") };
  };
  return await Promise.all(Array.from({ length: count }, one));
}

/** All calls at once, as after a node's boot. @returns milliseconds per volume. */
async function storm(cluster: Cluster, volumes: readonly Attached[]): Promise<number> {
  const startedAt = Date.now();
  await Promise.all(
    volumes.map(({ volume, context }) =>
      retry(`staging ${volume.id}`, () => cluster.node().stage(volume, context), limitMs),
    ),
  );
  return (Date.now() - startedAt) / volumes.length;
}

function countControllers(cluster: Cluster): number {
  return cluster.sysfs.list("class", "nvme").length;
}

function devicesOf(cluster: Cluster, volumes: readonly Attached[]): string[] {
  return volumes.map(({ context }) => cluster.devices(context["nqn"] ?? "").join());
}

/** Every record of the file in the image is of this volume, in order, and none that was flushed is missing. */
function assertRecordsOf(image: string, index: number, flushed: number): void {
  sh(`e2fsck -fn ${image}`);
  const lines = sh(`debugfs -R 'cat /records' ${image} 2>/dev/null`).trimEnd().split("\n");
  assert.ok(lines.length >= flushed, `volume ${index}: ${lines.length} records of ${flushed}`);
  const label = String(index).padStart(3, "0");
  for (const [count, line] of lines.entries())
    assert.equal(line, `${label} ${String(count).padStart(11, "0")}`);
}

scenario(
  `${few} and ${many - few} more volumes are staged at once, and ${many} outlive one outage`,
  async (cluster) => {
    const node = cluster.node();
    const first = await attach(cluster, few, impatient);
    const rest = await attach(cluster, many - few, patient);
    const msOfFew = await storm(cluster, first);
    const msOfMany = await storm(cluster, rest);
    process.stdout.write(
      `# staging took ${msOfFew.toFixed(0)} ms per volume for ${few}, ${msOfMany.toFixed(0)} ms for ${many - few} more\n`,
    );
    const volumes = [...first, ...rest];
    const paths = await Promise.all(
      volumes.map(async ({ volume, context }) => `${await node.publish(volume, context)}/records`),
    );
    using crowd = new Crowd(paths);
    await crowd.progress(limitMs);
    assert.equal(new Set(devicesOf(cluster, volumes)).size, many);

    const lostAt = Date.now();
    cluster.loseDataNetwork();
    await waitFor(
      "the kernel gives up the few",
      () => countControllers(cluster) === many - few,
      limitMs,
    );
    const backAt = Date.now();
    const { flushed } = crowd.report;
    cluster.restoreDataNetwork();
    await crowd.progress(limitMs, flushed);
    tellPause({
      what: `ext4, silent loss, slowest of ${many}, ${few} of them given up by the kernel`,
      outageMs: backAt - lostAt,
      afterMs: Date.now() - backAt,
    });
    await waitFor("all are connected", () => countControllers(cluster) === many, limitMs);
    assert.equal(new Set(devicesOf(cluster, volumes)).size, many);
    const report = await crowd.stop();
    assert.deepEqual(report.errors, []);

    await Promise.all(
      volumes.map(({ volume }) => retry("unpublishing", () => node.unpublish(volume), limitMs)),
    );
    await Promise.all(
      volumes.map(({ volume }) => retry("unstaging", () => node.unstage(volume), limitMs)),
    );
    for (const [index, { volume }] of volumes.entries()) {
      await cluster.controller.unpublish(volume, "node-a");
      assertRecordsOf(cluster.image(volume), index, report.flushed[index] ?? 0);
      await cluster.controller.delete(volume);
    }
    cluster.assertNothingLeft();
  },
);
