import { readFileSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { basename, join } from "node:path";
import type { BlockDevice } from "#domain/block-device.ts";
import { DriverError } from "#domain/errors.ts";
import type { Nqn } from "#domain/nqn.ts";
import type { ConnectOptions, NvmeTarget } from "#domain/nvme-target.ts";
import type { Initiator } from "#domain/ports/initiator.ts";
import type { Clock } from "#lib/clock.ts";
import type { Context } from "#lib/context.ts";
import { isMissing } from "#linux/atomic-file.ts";
import { diskDevice, type Host } from "#linux/disk-device.ts";
import { poll } from "#linux/poll.ts";
import { toolFailure } from "#linux/tool-failure.ts";
import { fileNameOf, type LoopRecord, type LoopRecords } from "./loop-record.ts";
import type { Losetup } from "./losetup.ts";

export interface LoopInitiatorParts {
  readonly losetup: Losetup;
  readonly host: Host;
  readonly records: LoopRecords;
  /** Folder with one symbolic link per exported NQN, to its image; kept by the simulator. */
  readonly exportsFolder: string;
  readonly clock: Clock;
  /** `/proc/sys/kernel/random/boot_id` */
  readonly bootIdFile: string;
}

const settleMs = 2_000;
const lookEveryMs = 50;

/**
 * The simulator's images on loop devices, for machines without nvme-tcp. It behaves as NVMe over TCP does but
 * for one thing: an export that goes away cuts no loop device that is attached already, so this initiator
 * fences new connections only.
 */
export class LoopInitiator implements Initiator {
  readonly #parts: LoopInitiatorParts;

  constructor(parts: LoopInitiatorParts) {
    this.#parts = parts;
  }

  async connect({ nqn }: NvmeTarget, _options: ConnectOptions, ctx: Context): Promise<void> {
    const { losetup, records } = this.#parts;
    const act = `Cannot connect "${nqn}"`;
    const record = await records.find(nqn);
    if (record !== undefined && this.#isEnding(record))
      throw new DriverError("unavailable", `${act}: "${record.disk}" is still being detached`);
    if (record !== undefined && this.#isAttached(record)) return;
    const image = await this.#exportedImage(nqn, act);
    try {
      const device = await losetup.attach(image, ctx);
      await this.#remember(nqn, { device, image }, ctx);
    } catch (error) {
      throw toolFailure(act, error, "unavailable");
    }
  }

  async findDevice(nqn: Nqn, _ctx: Context): Promise<BlockDevice | undefined> {
    const record = await this.#parts.records.find(nqn);
    if (record === undefined || this.#isEnding(record) || !this.#isAttached(record))
      return undefined;
    const { host } = this.#parts;
    const found = diskDevice(host, record.disk);
    // Read last: whatever was read before it belongs to this attachment.
    const sameImage =
      host.sysfs.read("block", record.disk, "loop", "backing_file") === record.image;
    return found && sameImage && this.#isAttached(record) ? { nqn, ...found } : undefined;
  }

  /** Also of one that is being detached, which its last user keeps. */
  async nodesOf(nqn: Nqn, _ctx: Context): Promise<readonly string[]> {
    const { records, host } = this.#parts;
    const record = await records.find(nqn);
    return record !== undefined && this.#isAttached(record) ? [`${host.dev}/${record.disk}`] : [];
  }

  /** A loop device has no connection that could be made anew. */
  async reset(): Promise<void> {}

  async rescan(nqn: Nqn, ctx: Context): Promise<void> {
    const act = `Cannot rescan "${nqn}"`;
    const device = await this.findDevice(nqn, ctx);
    if (device === undefined) throw new DriverError("unavailable", `${act}: it is not connected`);
    try {
      await this.#parts.losetup.setCapacity(device.path, ctx);
    } catch (error) {
      throw toolFailure(act, error, "unavailable");
    }
  }

  async disconnect(nqn: Nqn, ctx: Context): Promise<void> {
    const { records, losetup, host, clock } = this.#parts;
    const record = await records.find(nqn);
    if (record === undefined) return;
    const act = `Cannot disconnect "${nqn}"`;
    if (this.#isAttached(record) && !this.#isEnding(record)) {
      const detaching = losetup.detach(`${host.dev}/${record.disk}`, ctx);
      await detaching.catch((error) => Promise.reject(toolFailure(act, error, "unavailable")));
    }
    const limits = { clock, everyMs: lookEveryMs, limitMs: settleMs };
    if (!(await poll(() => !this.#isAttached(record) || undefined, limits, ctx)))
      throw new DriverError("unavailable", `${act}: "${record.disk}" is still in use`);
    await records.remove(nqn);
  }

  async #exportedImage(nqn: Nqn, act: string): Promise<string> {
    try {
      return await realpath(join(this.#parts.exportsFolder, fileNameOf(nqn)));
    } catch (error) {
      if (!isMissing(error)) throw error;
      throw new DriverError("unavailable", `${act}: no such export`, { cause: error });
    }
  }

  async #remember(nqn: Nqn, attached: Attached, ctx: Context): Promise<void> {
    const { losetup, records, host } = this.#parts;
    const disk = basename(attached.device);
    try {
      const diskSequence = host.sysfs.readNumber("block", disk, "diskseq");
      if (diskSequence === undefined)
        throw new DriverError(
          "failed-precondition",
          `Cannot identify "${disk}": the kernel shows no diskseq, Linux 5.15 has it`,
        );
      const record = { disk, diskSequence, bootId: this.#bootId(), image: attached.image };
      await records.save(nqn, record);
    } catch (error) {
      await losetup.detach(attached.device, ctx);
      throw error;
    }
  }

  /** Whether the device is still attached as it was when it was recorded. */
  #isAttached({ disk, diskSequence, bootId }: LoopRecord): boolean {
    const { sysfs } = this.#parts.host;
    return (
      bootId === this.#bootId() &&
      sysfs.readNumber("block", disk, "diskseq") === diskSequence &&
      sysfs.read("block", disk, "loop", "backing_file") !== undefined
    );
  }

  /** Whether the kernel waits for the last user of a detached device. */
  #isEnding(record: LoopRecord): boolean {
    const autoclear = this.#parts.host.sysfs.read("block", record.disk, "loop", "autoclear");
    return autoclear === "1" && this.#isAttached(record);
  }

  #bootId(): string {
    return readFileSync(this.#parts.bootIdFile, "utf8").trim();
  }
}

interface Attached {
  readonly device: string;
  readonly image: string;
}
