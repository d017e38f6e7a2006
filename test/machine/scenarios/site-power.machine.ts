import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { Cluster } from "../rig/cluster.ts";
import type { ClusterVolume } from "../rig/cluster-volume.ts";
import type { PublishContext } from "../rig/kubelet.ts";
import { logged } from "../rig/node-crash.ts";
import { retry } from "../rig/retry.ts";
import { sh } from "../rig/world.ts";
import { assertRecords, Writer, type WriterReport } from "../rig/writer.ts";

/*
 * The whole site loses its power in the middle of writing: this machine, appliance and node in one, is reset and
 * booted again. What outlives it lies on its disk: the pool, and beside it what appliance and node keep.
 */
const pool = "/appliance";
const kept = `${pool}/.site`;
const memory = `${kept}/kubernetes.json`;

/** What Kubernetes remembers. */
interface Attached {
  readonly volume: ClusterVolume;
  readonly context: PublishContext;
  readonly report: WriterReport;
}

function mountDisk(): void {
  for (const folder of [pool, "/run/cluster"]) mkdirSync(folder, { recursive: true });
  sh(`mount /dev/vda ${pool} || { mkfs.btrfs -q /dev/vda && mount /dev/vda ${pool}; }`);
  mkdirSync(kept, { recursive: true });
  sh(`mount --bind ${kept} /run/cluster`);
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
  writeFileSync(memory, JSON.stringify(attached));
  sh(`sync ${memory}`);
  await Promise.all(writers.map((writer) => writer.progress(10)));
  sh("echo MACHINE-AGAIN > /dev/console; sleep 1; echo b > /proc/sysrq-trigger");
  throw new Error("The power is still there");
}

async function recover(cluster: Cluster): Promise<void> {
  const attached: Attached[] = JSON.parse(readFileSync(memory, "utf8"));
  const node = cluster.node();
  await logged(cluster, "Found a volume of an earlier run", attached.length);
  for (const { volume, context, report } of attached) {
    await retry("staging", () => node.stage(volume, context));
    const path = await node.publish(volume, context);
    assertRecords(`${path}/records`, report);
  }
  for (const { volume, context } of attached) {
    assert.deepEqual(cluster.controllers(context["nqn"] ?? ""), ["live"]);
    await cluster.takeDown(volume);
    const image = cluster.image(volume);
    sh(
      volume.capability.mount?.fsType === "xfs"
        ? `xfs_repair -n -f ${image}`
        : `e2fsck -fn ${image}`,
    );
    await cluster.controller.delete(volume);
  }
  cluster.assertNothingLeft();
}

test("what was flushed is there after appliance and node have lost their power while pods were writing", async () => {
  mountDisk();
  const isSecondBoot = existsSync(memory);
  const cluster = await Cluster.start({ poolIsReady: true });
  await (isSecondBoot ? recover(cluster) : writeUntilTheEnd(cluster));
});
