import assert from "node:assert/strict";
import { after, afterEach, before } from "node:test";
import { assertSafe, directFlood, fileFlood, unsafeBlocks } from "../rig/flood.ts";
import { interruptAll, type Outage, resumeAll, rideOut } from "../rig/outage.ts";
import { clusterWith } from "../rig/scenario.ts";
import { SlowDisk } from "../rig/slow-disk.ts";
import { UsedVolume } from "../rig/used-volume.ts";

/** Keeps many writes under way without keeping an emulated processor busy. Much shorter than any outage here. */
const slowMs = 500;
/** The kernel gives up, but not while a short outage is looked at. */
const impatient = { ctrlLossTmo: "25", reconnectDelay: "1", keepAliveTmo: "5" };

let disk: SlowDisk;
before(() => {
  disk = new SlowDisk("/appliance");
});
// Nothing may wait for the disk while the cluster is taken down.
afterEach(() => disk.delayWrites(0));
const scenario = clusterWith({ pool: "xfs", poolIsReady: true });
after(() => disk[Symbol.dispose]());

/** While all wait: each has much under way, and the target has all that was answered or flushed before. */
function assertAllSafe(volumes: readonly UsedVolume[]): void {
  for (const used of volumes) {
    const blocks = unsafeBlocks(used);
    process.stdout.write(`# ${used.content}: ${blocks} blocks are under way\n`);
    assert.ok(blocks >= 128, `${blocks} blocks are under way`);
    assertSafe(used);
  }
}

scenario(
  "with many writes in flight no outage loses one that was answered, nor brings an older one back",
  async (cluster) => {
    using ext4 = await UsedVolume.start(cluster, "ext4", impatient, { load: fileFlood });
    using xfs = await UsedVolume.start(cluster, "xfs", impatient, { load: fileFlood });
    using block = await UsedVolume.start(cluster, "block", impatient, { load: directFlood });
    disk.delayWrites(slowMs);
    const volumes = [block, ext4, xfs];
    const outages: Outage[] = [
      { what: "short", begin: () => interruptAll(volumes), end: () => resumeAll(volumes) },
      {
        what: "silent loss, the kernel gives up, back with another identity",
        begin: () => cluster.loseDataNetwork(),
        until: ({ nqn }) => cluster.controllers(nqn).length === 0,
        end: () => {
          for (const used of volumes) used.restoreWithNewIdentity(`${used.content} anew`);
          cluster.restoreDataNetwork();
        },
        renumbers: true,
      },
    ];
    for (const { what, end, ...outage } of outages) {
      for (const { writer } of volumes) await writer.progress(8);
      await rideOut(volumes, {
        ...outage,
        what: `many writes in flight, ${what}`,
        end: () => {
          // What looks at a copy writes to it, and would take longer than a short outage.
          disk.delayWrites(0);
          assertAllSafe(volumes);
          disk.delayWrites(slowMs);
          end();
        },
      });
    }
    disk.delayWrites(0);
    for (const used of volumes) await used.finish();
    cluster.assertNothingLeft();
  },
);
