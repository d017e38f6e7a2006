import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { Cluster } from "../rig/cluster.ts";
import type { ClusterVolume } from "../rig/cluster-volume.ts";
import { PoolSpace } from "../rig/pool-space.ts";
import { clusterWith } from "../rig/scenario.ts";
import { waitFor } from "../rig/wait-for.ts";
import { sh } from "../rig/world.ts";
import { Writer } from "../rig/writer.ts";

// XFS writes again in place what a volume has written before. On Btrfs that takes room too.
// Exports stay on, as in the moment before the driver sees it.
const scenario = clusterWith({ pool: "xfs", limits: { emergency: "0%" } });
const folder = "/appliance/storage-pool";
/** A pause of the whole machine is no loss here. */
const patient = { ctrlLossTmo: "-1", reconnectDelay: "1", keepAliveTmo: "30" };
const withoutHold = { ...patient, reconnectMode: "remount" };
/** Of a file system that needs room for its own books too, and stops without it. */
const failure = /No space left on device|Input\/output error|Read-only file system/;

const connected = /^The volume is connected and answers/;
const stopped = /^The file system (has met errors|takes no more writes after an error)/;

/** Whether the kernel's log has an error of the ext4 that is mounted at `path`. */
function hasMetErrors(path: string): boolean {
  const disk = sh(`basename $(readlink -f /sys/dev/block/$(findmnt -no MAJ:MIN --target ${path}))`);
  return sh("dmesg").includes(`EXT4-fs error (device ${disk.trim()})`);
}

/** Longer than the watch takes to look for paths that have failed unseen. */
const surveyMs = 15_000;

/** @returns what it was told, or `undefined` when all was written. */
async function write(path: string, options: string): Promise<string | undefined> {
  const args = ["if=/dev/zero", `of=${path}`, "bs=64k", "status=none", ...options.split(" ")];
  const child = spawn("dd", args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const [exitCode] = await once(child, "close");
  return exitCode === 0 ? undefined : said;
}

/** A write to it ends, in bounded time, with an error. */
async function failsSoon(path: string, options: string): Promise<string> {
  let said: string | undefined;
  const written = write(path, options).then((text) => {
    said = text ?? "nothing: all of it was written";
    return text;
  });
  await waitFor(`a write to ${path} ends`, () => said, 60_000);
  assert.notEqual(await written, undefined, `what needs room in ${path} is not written`);
  return said ?? "";
}

class Usage {
  readonly cluster: Cluster;
  readonly volume: ClusterVolume;
  readonly path: string;
  readonly nqn: string;
  readonly writer: Writer;

  static async start(cluster: Cluster, parameters: Record<string, string>): Promise<Usage> {
    const options = { content: "ext4", sizeMiB: 320, parameters } as const;
    const volume = await cluster.controller.create(options);
    const usage = new Usage(cluster, volume, await cluster.bringUp(volume));
    await usage.writer.progress(20);
    return usage;
  }

  private constructor(
    cluster: Cluster,
    volume: ClusterVolume,
    { path, nqn }: { readonly path: string; readonly nqn: string },
  ) {
    this.cluster = cluster;
    this.volume = volume;
    this.path = path;
    this.nqn = nqn;
    this.writer = new Writer(`${path}/records`);
  }

  /** Who writes is told of it, and nobody takes it for an outage or for a block that is bad. */
  async assertRefuses(): Promise<void> {
    assert.match(await failsSoon(`${this.path}/big`, "count=200 conv=fsync"), failure);
    const { error } = await this.writer.ended();
    assert.match(error ?? "none", /^(ENOSPC|EIO|EROFS)$/);
    // The file system may stop at any moment from here on.
    await waitFor("the condition tells whether the file system has met errors", async () => {
      const { message = "" } = (await this.cluster.node().condition(this.volume)) ?? {};
      return (hasMetErrors(this.path) ? stopped : connected).test(message);
    });
  }

  /** Staged afresh, it has all that was flushed, takes writes again, and is whole. */
  async assertUsableAgain(): Promise<void> {
    const { cluster, volume, writer } = this;
    await cluster.takeDown(volume);
    const { path } = await cluster.bringUp(volume);
    assertFlushed(`${path}/records`, writer.report.flushed);
    using again = new Writer(`${path}/again`);
    await again.progress();
    const report = await again.stop();
    assert.equal(report.error, undefined);
    await cluster.takeDown(volume);
    sh(`e2fsck -fn ${cluster.image(volume)}`);
    await cluster.controller.delete(volume);
  }
}

/** Of the record that met the error, the length may be there and the content not. */
function assertFlushed(path: string, flushed: number): void {
  const lines = readFileSync(path, "latin1").split("\n").slice(0, flushed);
  const expected = Array.from({ length: flushed }, (_, index) => String(index).padStart(15, "0"));
  assert.deepEqual(lines, expected);
}

/** What the watch has decided to do about volumes. */
function stepsOfWatch(cluster: Cluster): string[] {
  const lines = readFileSync(cluster.node().logFile, "utf8").split("\n");
  return lines.filter((line) => line.includes('"do":"'));
}

scenario(
  "a full pool is an error and no outage: nothing hangs or is tried again, and all that was flushed outlives it",
  async (cluster) => {
    const { controller } = cluster;
    const raw = await controller.create({ content: "block", sizeMiB: 64, parameters: patient });
    const { path: disk, nqn } = await cluster.bringUp(raw);
    const written = "count=64 oflag=direct conv=notrunc";
    assert.equal(await write(disk, written), undefined);
    const held = await Usage.start(cluster, patient);
    const unheld = await Usage.start(cluster, withoutHold);
    using space = new PoolSpace(folder);
    space.fill();

    const beyond = "seek=512 count=1 oflag=direct conv=notrunc";
    assert.match(await failsSoon(disk, beyond), /No space left on device/);
    for (const usage of [held, unheld]) await usage.assertRefuses();
    await delay(surveyMs);
    assert.equal(await write(disk, written), undefined, "what needs no room goes on");
    assert.deepEqual(stepsOfWatch(cluster), []);
    for (const name of [nqn, held.nqn]) {
      assert.match(sh(`dmsetup table rds-csi-${name}`), /multipath 4 queue_if_no_path/);
      assert.doesNotMatch(sh(`dmsetup status rds-csi-${name}`), / F /, "no path has failed");
    }

    space.free();
    for (const usage of [held, unheld]) await usage.assertUsableAgain();
    assert.equal(await write(disk, beyond), undefined, "a raw block volume needs nothing else");
    await cluster.takeDown(raw);
    await controller.delete(raw);
    cluster.assertNothingLeft();
  },
);
