import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { MiB } from "#lib/bytes.ts";
import type { Cluster } from "../rig/cluster.ts";
import { type Exported, exportedUnder, exportInstead } from "../rig/other-image.ts";
import { clusterWith } from "../rig/scenario.ts";
import { UsedVolume } from "../rig/used-volume.ts";
import { waitFor } from "../rig/wait-for.ts";
import { sh } from "../rig/world.ts";

const scenario = clusterWith();
const folder = "/appliance/storage-pool";

/** @param mkfs - what makes its file system; left out, it is blank. */
function otherImage(name: string, sizeMiB: number, mkfs?: string): string {
  const path = `${folder}/${name}`;
  sh(`truncate -s ${sizeMiB}M ${path}`);
  if (mkfs !== undefined) sh(`${mkfs} ${path}`);
  return path;
}

/** A new ext4 goes on writing by itself for minutes: its inode tables are zeroed while it is mounted. */
function endLazyInit({ mountPoint }: UsedVolume): void {
  sh(`mount -o remount,noinit_itable ${mountPoint}`);
}

/** What an image holds now, to be compared with later. */
class Snapshot {
  readonly #image: string;
  readonly #copy: string;

  constructor(image: string) {
    const file = image.startsWith("/dev/") ? sh(`losetup -n -O BACK-FILE ${image}`).trim() : image;
    this.#image = file;
    this.#copy = `${file}.copy`;
    sh(`sync ${file}; cp --reflink=always ${file} ${this.#copy}`);
  }

  /** @returns the first blocks of 4,096 bytes that differ now, and in how many bytes. */
  differences(): string {
    sh(`sync ${this.#image}`);
    return sh(
      `cmp -l ${this.#image} ${this.#copy} | head -100000 | awk '{print int(($1-1)/4096)}' | uniq -c | head -40`,
    );
  }
}

/** How often the plugin's log says that what came back is not the volume, for this reason. */
function timesToldOf(cluster: Cluster, reason: RegExp): number {
  const lines = readFileSync(cluster.node().logFile, "utf8").split("\n");
  return lines.filter((line) => line.includes('"do":"report"') && reason.test(line)).length;
}

/** Comes back in the place of the volume: it is told apart, nothing is written to it, and the pod goes on waiting. */
async function assertRefused(used: UsedVolume, image: string, reason: RegExp): Promise<void> {
  const { cluster, volume, nqn, writer } = used;
  const before = new Snapshot(image);
  const under = used.under();
  const returnedAt = Date.now();
  exportInstead(nqn, { image });
  await waitFor(`the device is refused: ${reason}`, async () => {
    const condition = await cluster.node().condition(volume);
    return condition?.abnormal && reason.test(condition.message);
  });
  writer.thaw();
  await writer.stalls();
  assert.equal(used.under(), under, "the hold stays where it is");
  assert.ok(used.isLive(), "and the connection too");
  assert.equal(writer.report.error, undefined);
  // A refusal lasts half a minute; then it is proved, and told, again.
  const mostTold = 1 + Math.floor((Date.now() - returnedAt) / 30_000);
  const told = timesToldOf(cluster, reason);
  assert.ok(told >= 1 && told <= mostTold, `it was told ${told} times`);
  assert.equal(before.differences(), "", "not a byte of it was written");
}

/**
 * Nothing is on its way: the kernel sends again what was, to whatever answers under the NQN, before anybody can
 * look at that. Freezing ends also what a file system does by itself later: half a minute after a change an XFS
 * writes to its journal once more.
 */
async function loseIdle(used: UsedVolume): Promise<void> {
  used.writer.freeze();
  sh(`fsfreeze -f ${used.mountPoint} && fsfreeze -u ${used.mountPoint}`);
  await used.lose();
}

/** The right one is back, as it was. */
async function returns(used: UsedVolume, original: Exported): Promise<void> {
  used.noteReturn();
  exportInstead(used.nqn, original);
  await used.goesOn("something else came back first");
  await waitFor("the condition is well", async () => {
    return (await used.cluster.node().condition(used.volume))?.abnormal === false;
  });
  await used.finish();
  sh(`losetup -D; rm ${folder}/*.img ${folder}/*.copy`);
  used.cluster.assertNothingLeft();
}

scenario(
  "block: of a raw volume size and blocks are compared, for its content is the guest's",
  async (cluster) => {
    using used = await UsedVolume.start(cluster, "block");
    const original = exportedUnder(used.nqn);
    endLazyInit(used);
    await loseIdle(used);
    const small = otherImage("small.img", 319);
    await assertRefused(used, small, new RegExp(`it has ${319 * MiB} bytes, the volume had`));
    const loop = sh(`losetup --find --show --sector-size 512 ${original.image}`).trim();
    await assertRefused(used, loop, /its blocks have 512 bytes, those of the volume 4096/);
    await returns(used, original);
  },
);

scenario("xfs: another of the same kind is told apart", async (cluster) => {
  using used = await UsedVolume.start(cluster, "xfs");
  const original = exportedUnder(used.nqn);
  await loseIdle(used);
  const other = otherImage("other.img", 320, "mkfs.xfs -q");
  const uuid = sh(`blkid -p -s UUID -o value ${other}`).trim();
  await assertRefused(used, other, new RegExp(`its file system has the UUID \\W+${uuid}`));
  await returns(used, original);
});

scenario(
  "ext4: a file system of another kind, another of the same kind and none at all are told apart",
  async (cluster) => {
    using used = await UsedVolume.start(cluster, "ext4");
    const original = exportedUnder(used.nqn);
    endLazyInit(used);
    await loseIdle(used);
    const other = otherImage("other.img", 320, "mkfs.ext4 -q -F");
    const uuid = sh(`blkid -p -s UUID -o value ${other}`).trim();
    await assertRefused(used, other, new RegExp(`its file system has the UUID \\W+${uuid}`));
    const blank = otherImage("blank.img", 320);
    await assertRefused(used, blank, /it holds nothing/);
    const xfs = otherImage("xfs.img", 320, "mkfs.xfs -q");
    await assertRefused(used, xfs, /its file system is xfs, not ext4/);
    await returns(used, original);
  },
);
