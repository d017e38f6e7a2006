import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { hasStrictLimit } from "../rig/kernel.ts";
import { clusterWith } from "../rig/scenario.ts";
import { UsedVolume } from "../rig/used-volume.ts";
import { waitFor } from "../rig/wait-for.ts";
import { sh } from "../rig/world.ts";

const scenario = clusterWith();
const sizeMiB = 24;

/** Writes through the page cache, and waits for the disk at the end only. @returns MiB per second. */
async function throughput(used: UsedVolume): Promise<number> {
  const startedAt = Date.now();
  const file = `${used.mountPoint}/bulk`;
  const dd = spawn(
    "dd",
    ["if=/dev/zero", `of=${file}`, "bs=1M", `count=${sizeMiB}`, "conv=fsync"],
    {
      stdio: "ignore",
    },
  );
  const [status] = await once(dd, "close");
  assert.equal(status, 0);
  sh(`rm ${file}`);
  return sizeMiB / ((Date.now() - startedAt) / 1_000);
}

/** What a process has written so far, into the page cache. */
function writtenBytes({ pid }: ChildProcess): number {
  const [, bytes = 0] = /^wchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, "latin1")) ?? [];
  return Number(bytes);
}

async function untilWaiting(filler: ChildProcess): Promise<void> {
  await waitFor("the filler has to wait", async () => {
    const written = writtenBytes(filler);
    await delay(2_000);
    return written > 0 && writtenBytes(filler) === written && filler.exitCode === null;
  });
}

scenario(
  "a volume whose neighbour is held, with all the dirty pages it may have, goes on",
  async (cluster) => {
    using held = await UsedVolume.start(cluster, "ext4");
    using healthy = await UsedVolume.start(cluster, "ext4");
    await throughput(healthy);
    const before = await throughput(healthy);
    // A commit of the journal that hangs would let the filler wait before it has dirtied what it may.
    held.writer.freeze();
    sh(`mount -o remount,commit=300 ${held.mountPoint} && sync -f ${held.mountPoint}`);
    await held.lose();
    // More than the limit of one device: what is above waits. That falls with the device's share of all that is written, so
    // that it may be less than a MiB here.
    const filler = spawn(
      "dd",
      ["if=/dev/zero", `of=${held.mountPoint}/filler`, "bs=64K", "count=1024"],
      {
        stdio: "ignore",
      },
    );
    const filled = once(filler, "close");
    if (hasStrictLimit) await untilWaiting(filler);
    else await filled;
    held.writer.thaw();
    await healthy.writer.progress(50);
    const meanwhile = await throughput(healthy);
    assert.equal(filler.exitCode, hasStrictLimit ? null : 0, "the held volume is held still");
    process.stdout.write(
      `# ${before.toFixed(1)} MiB/s before, ${meanwhile.toFixed(1)} MiB/s while the neighbour is held: ${(meanwhile / before).toFixed(2)}\n`,
    );
    held.restore();
    await held.goesOn("short, full of dirty pages");
    const [status] = await filled;
    assert.equal(status, 0);
    await held.finish();
    await healthy.finish();
    cluster.assertNothingLeft();
  },
);
