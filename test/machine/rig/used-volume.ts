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
import { assertRecords, Writer } from "./writer.ts";

const configfs = "/sys/kernel/config/nvmet";
const check = "/mnt/check";

/** A published volume, and a pod that writes records into it, each flushed before the next. */
export class UsedVolume implements Disposable {
  readonly cluster: Cluster;
  readonly volume: ClusterVolume;
  readonly content: Content;
  readonly nqn: string;
  readonly writer: Writer;
  /** Where a guest has mounted the file system that it made on its raw block volume. */
  readonly guest: string | undefined;
  #lostAt = 0;
  #back = { at: 0, flushed: 0 };

  /** @param mountAs - What the guest makes of its raw block volume, by default a file system on all of it. */
  static async start(
    cluster: Cluster,
    content: Content,
    parameters?: Record<string, string>,
    mountAs: (device: string, name: string) => string = mountAsGuest,
  ) {
    const volume = await cluster.controller.create({
      content,
      sizeMiB: 320,
      ...(parameters && { parameters }),
    });
    const { path, nqn } = await cluster.bringUp(volume);
    const guest = content === "block" ? mountAs(path, volume.name) : undefined;
    const used = new UsedVolume(cluster, { volume, content, nqn, guest, folder: guest ?? path });
    await used.writer.progress();
    return used;
  }

  private constructor(
    cluster: Cluster,
    parts: Pick<UsedVolume, "volume" | "content" | "nqn" | "guest"> & { readonly folder: string },
  ) {
    this.cluster = cluster;
    this.volume = parts.volume;
    this.content = parts.content;
    this.nqn = parts.nqn;
    this.guest = parts.guest;
    this.writer = new Writer(`${parts.folder}/records`);
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

  /** The writer met no error, and each of its records is in the image, whose file system is whole. */
  async finish(): Promise<void> {
    await this.writer.progress();
    const report = await this.writer.stop();
    assert.equal(report.error, undefined);
    if (this.guest !== undefined) sh(`umount ${this.guest}`);
    await this.cluster.takeDown(this.volume);
    const image = this.cluster.image(this.volume);
    sh(this.content === "xfs" ? `xfs_repair -n -f ${image}` : `e2fsck -fn ${image}`);
    mkdirSync(check, { recursive: true });
    sh(`mount -o loop,ro ${image} ${check}`);
    try {
      assertRecords(`${check}/records`, report);
    } finally {
      sh(`umount ${check}`);
    }
    await this.cluster.controller.delete(this.volume);
  }

  [Symbol.dispose](): void {
    this.writer[Symbol.dispose]();
  }
}

function mountAsGuest(device: string, name: string): string {
  const folder = `/mnt/${name}`;
  mkdirSync(folder, { recursive: true });
  sh(`mkfs.ext4 -q -F ${device} && mount ${device} ${folder}`);
  return folder;
}
