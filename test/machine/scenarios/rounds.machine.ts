import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { open } from "node:fs/promises";
import type { Cluster } from "../rig/cluster.ts";
import type { ClusterVolume, Content } from "../rig/cluster-volume.ts";
import type { PublishContext } from "../rig/kubelet.ts";
import { retry } from "../rig/retry.ts";
import { clusterWith } from "../rig/scenario.ts";

const scenario = clusterWith();
const contents: readonly Content[] = [
  "ext4",
  "ext4",
  "ext4",
  "ext4",
  "ext4",
  "xfs",
  "block",
  "block",
];
/** Of all volumes together. A round takes some five seconds in an emulated machine; on a fast host, set ROUNDS to 500. */
const rounds = Number(process.env["ROUNDS"] ?? 40);

const blockBytes = 256 * 1024;

/** A volume that is staged again and again, and what must be on it. */
class Round {
  readonly #cluster: Cluster;
  readonly #volume: ClusterVolume;
  readonly #content: Content;
  readonly #context: PublishContext;
  #checksum: string | undefined;

  constructor(
    cluster: Cluster,
    parts: { volume: ClusterVolume; content: Content; context: PublishContext },
  ) {
    this.#cluster = cluster;
    this.#volume = parts.volume;
    this.#content = parts.content;
    this.#context = parts.context;
  }

  /** Stages, finds what the round before has left, leaves something else, and unstages. */
  async play(): Promise<void> {
    const node = this.#cluster.node();
    const what = this.#volume.id;
    await retry(`staging ${what}`, () => node.stage(this.#volume, this.#context));
    const publish = () => node.publish(this.#volume, this.#context);
    const published = await retry(`publishing ${what}`, publish);
    const isBlock = this.#content === "block";
    const file = isBlock ? published : `${published}/block`;
    if (this.#checksum !== undefined) assert.equal(await checksumOf(file), this.#checksum, what);
    this.#checksum = await renew(file, isBlock ? "r+" : "w");
    await retry(`unpublishing ${what}`, () => node.unpublish(this.#volume));
    await retry(`unstaging ${what}`, () => node.unstage(this.#volume));
  }
}

async function checksumOf(path: string): Promise<string> {
  await using file = await open(path, "r");
  const block = Buffer.alloc(blockBytes);
  await file.read(block, 0, blockBytes, 0);
  return createHash("sha256").update(block).digest("hex");
}

/** Not flushed: unstaging has to see to that. */
async function renew(path: string, flags: string): Promise<string> {
  const block = randomBytes(blockBytes);
  await using file = await open(path, flags);
  await file.write(block, 0, blockBytes, 0);
  return createHash("sha256").update(block).digest("hex");
}

scenario(
  `in ${rounds} rounds of stage and unstage nothing is lost or mixed up`,
  async (cluster) => {
    const { controller } = cluster;
    const startedAt = Date.now();
    let left = rounds;
    const begin = async (content: Content) => {
      const volume = await controller.create({ content, sizeMiB: 24 });
      const context = await controller.publish(volume, "node-a");
      return { volume, round: new Round(cluster, { volume, content, context }) };
    };
    const all = await Promise.all(contents.map(begin));
    await Promise.all(
      all.map(async ({ round }) => {
        while (left-- > 0) await round.play();
      }),
    );
    const ms = (Date.now() - startedAt) / rounds;
    process.stdout.write(
      `# ${rounds} rounds, ${contents.length} side by side: ${ms.toFixed(0)} ms each\n`,
    );
    for (const { volume } of all) {
      await controller.unpublish(volume, "node-a");
      cluster.assertWhole(volume);
      await controller.delete(volume);
    }
    cluster.assertNothingLeft();
  },
);
