import assert from "node:assert/strict";
import { mkdirSync, readdirSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { KernelTarget } from "#sim/nvmet/kernel-target.ts";
import type { Cluster } from "./cluster.ts";
import type { ClusterVolume, Content } from "./cluster-volume.ts";
import { tellPause } from "./tell-pause.ts";
import { waitFor } from "./wait-for.ts";
import { sh, uuidFor } from "./world.ts";
import { type Load, records, Writer } from "./writer.ts";

const configfs = "/sys/kernel/config/nvmet";
const check = "/mnt/check";
const copy = "/appliance/copy";

/** How a pod uses its volume, if not as most of them. */
interface Habits {
  readonly load?: Load;
  /** What a guest makes of its raw block volume, by default a file system on all of it. */
  readonly mountAs?: (device: string, name: string) => string;
}

/** A published volume, and a pod that writes into it: records, each flushed before the next, or another load. */
export class UsedVolume implements Disposable {
  readonly cluster: Cluster;
  readonly volume: ClusterVolume;
  readonly content: Content;
  readonly nqn: string;
  readonly writer: Writer;
  /** Where a guest has mounted the file system that it made on its raw block volume. */
  readonly guest: string | undefined;
  readonly #load: Load;
  #lostAt = 0;
  #back = { at: 0, flushed: 0 };

  static async start(
    cluster: Cluster,
    content: Content,
    parameters?: Record<string, string>,
    { load = records, mountAs = mountAsGuest }: Habits = {},
  ) {
    const volume = await cluster.controller.create({
      content,
      sizeMiB: 320,
      ...(parameters && { parameters }),
    });
    const { path, nqn } = await cluster.bringUp(volume);
    const hasGuest = content === "block" && load.isRaw !== true;
    const guest = hasGuest ? mountAs(path, volume.name) : undefined;
    const used = new UsedVolume(cluster, {
      volume,
      content,
      nqn,
      guest,
      load,
      path: guest ?? path,
    });
    await used.writer.progress();
    return used;
  }

  private constructor(
    cluster: Cluster,
    parts: Pick<UsedVolume, "volume" | "content" | "nqn" | "guest"> & {
      readonly load: Load;
      readonly path: string;
    },
  ) {
    this.cluster = cluster;
    this.volume = parts.volume;
    this.content = parts.content;
    this.nqn = parts.nqn;
    this.guest = parts.guest;
    this.#load = parts.load;
    this.writer = new Writer(this.#isRaw ? parts.path : `${parts.path}/records`, parts.load);
  }

  /** The appliance does not answer for this volume any more, and the writer waits. */
  async lose(): Promise<void> {
    this.noteLoss();
    this.cluster.fabric.interrupt(this.nqn);
    await waitFor(`${this.nqn} is not live`, () => !this.isLive());
    // What was flushed before is reported a moment later.
    await delay(1_000);
    const { flushed } = this.writer.report;
    await delay(1_000);
    assert.ok(this.writer.report.flushed - flushed <= 1, "nothing is written in the outage");
  }

  restore(): void {
    this.noteReturn();
    this.cluster.fabric.resume(this.nqn);
  }

  /** As an appliance does that has restarted and names its namespaces anew. */
  restoreWithNewIdentity(text: string): void {
    this.noteReturn();
    const [port = "1"] = readdirSync(`${configfs}/ports`);
    const target = new KernelTarget(configfs, Number(port));
    const image = sh(`cat ${configfs}/subsystems/${this.nqn}/namespaces/1/device_path`).trim();
    target.unexport(this.nqn);
    target.export({ nqn: this.nqn, image, namespaceUuid: uuidFor(text) });
  }

  /** The target is about to go. */
  noteLoss(): void {
    this.#lostAt = Date.now();
  }

  /** The target is about to come back. */
  noteReturn(): void {
    this.#back = { at: Date.now(), flushed: this.writer.report.flushed };
  }

  /**
   * The writer goes on after an outage, and its pause is told.
   * @param outage - such as `silent loss`
   */
  async goesOn(outage: string): Promise<void> {
    const { at, flushed } = this.#back;
    await this.writer.reaches(flushed + 1);
    const what = `${this.content}, ${outage}`;
    tellPause({ what, outageMs: at - this.#lostAt, afterMs: Date.now() - at });
    await this.writer.progress();
  }

  /** Where the file system with the records is mounted. */
  get mountPoint(): string {
    return dirname(this.writer.path);
  }

  isLive(): boolean {
    return this.cluster.controllers(this.nqn).includes("live");
  }

  /** Number of the device that the hold lies on. */
  under(): string {
    return sh(`dmsetup deps -o devno rds-csi-${this.nqn}`);
  }

  /** The writer met no error, and all that it has written is in the image, whose file system is whole. */
  async finish(): Promise<void> {
    await this.writer.progress();
    const report = await this.writer.stop();
    assert.equal(report.error, undefined);
    if (this.guest !== undefined) sh(`umount ${this.guest}`);
    await this.cluster.takeDown(this.volume);
    const image = this.cluster.image(this.volume);
    if (this.#isRaw) this.#load.assertWritten(image, report);
    else {
      sh(this.content === "xfs" ? `xfs_repair -n -f ${image}` : `e2fsck -fn ${image}`);
      lookInto(image, "ro", (path) => this.#load.assertWritten(path, report));
    }
    await this.cluster.controller.delete(this.volume);
  }

  /** Looks at what the target has now, as after a crash: at the image itself, or into a copy of its file system. */
  look<T>(read: (path: string) => T): T {
    const image = this.cluster.image(this.volume);
    if (this.#isRaw) return read(image);
    sh(`cp --reflink=always ${image} ${copy}`);
    try {
      return lookInto(copy, this.content === "xfs" ? "nouuid" : "rw", read);
    } finally {
      sh(`rm ${copy}`);
    }
  }

  get #isRaw(): boolean {
    return this.#load.isRaw === true;
  }

  [Symbol.dispose](): void {
    this.writer[Symbol.dispose]();
  }
}

/** Mounts an image, and reads what its writer has written. */
function lookInto<T>(image: string, options: string, read: (path: string) => T): T {
  mkdirSync(check, { recursive: true });
  sh(`mount -o loop,${options} ${image} ${check}`);
  try {
    return read(`${check}/records`);
  } finally {
    sh(`umount ${check}`);
  }
}

function mountAsGuest(device: string, name: string): string {
  const folder = `/mnt/${name}`;
  mkdirSync(folder, { recursive: true });
  sh(`mkfs.ext4 -q -F ${device} && mount ${device} ${folder}`);
  return folder;
}
