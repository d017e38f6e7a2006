import { createHash } from "node:crypto";
import { join } from "node:path";
import { type ExportedImage, type ExportFabric, StoreError } from "#sim/appliance/back-end.ts";
import type { Switches } from "#sim/appliance/switches.ts";
import type { Groups } from "./groups.ts";
import { type KernelExport, KernelTarget } from "./kernel-target.ts";
import { isLoopDevice, type LoopDevices } from "./loop-device.ts";
import { removeStaleExports } from "./stale-exports.ts";

export interface NvmetFabricOptions {
  /** `/sys/kernel/config/nvmet` */
  readonly configfs: string;
  /** Where the target listens; the port is each export's own. */
  readonly address: string;
  /** Folder of the images; also tells this simulator's exports from others in the same kernel. */
  readonly data: string;
  readonly switches: Switches;
  readonly groups: Groups;
  readonly loops: LoopDevices;
}

interface Published {
  readonly target: KernelTarget;
  readonly exported: KernelExport;
}

/** Exports images through the kernel's NVMe/TCP target. What it exports goes with the process that closes it. */
export class NvmetFabric implements ExportFabric {
  readonly #options: NvmetFabricOptions;
  readonly #serial: string;
  readonly #targets = new Map<number, KernelTarget>();
  readonly #published = new Map<string, Published>();
  /** Exports that are gone for hosts and still drain (`unexport-drain=no`). */
  readonly #ending = new Map<string, Promise<void>>();

  constructor(options: NvmetFabricOptions) {
    this.#options = options;
    this.#serial = createHash("sha256").update(options.data).digest("hex").slice(0, 20);
  }

  async publish(image: ExportedImage): Promise<void> {
    const { nqn, port } = image;
    const { address, switches } = this.#options;
    await this.#takeAway(nqn);
    await this.#ending.get(nqn);
    await carriedOut(`export "${nqn}" on ${address} port ${port}`, async () => {
      const exported: KernelExport = {
        nqn,
        image: await this.#deviceOf(image),
        allowHost: image.allowHostName || undefined,
        serial: this.#serial,
        ...(switches.get("namespace-identity") === "stable" && { namespaceUuid: uuidOf(nqn) }),
      };
      const target = this.#targetOn(port);
      this.#published.set(nqn, { target, exported });
      target.listen(address, port);
      target.export(exported);
    }).catch(async (error: unknown) => {
      await this.#takeAway(nqn);
      throw error;
    });
  }

  async withdraw(nqn: string): Promise<void> {
    const published = this.#published.get(nqn);
    if (this.#options.switches.get("connected-unexport") === "keep")
      published?.target.refuseHosts(nqn);
    else await this.#takeAway(nqn);
  }

  async resized(nqn: string): Promise<void> {
    const { switches, loops } = this.#options;
    const visibility = switches.get("resize-visibility");
    const published = this.#published.get(nqn);
    if (published === undefined || visibility === "re-export") return;
    await carriedOut(`show the new size of "${nqn}"`, async () => {
      const device = published.exported.image;
      if (isLoopDevice(device)) await loops.resize(device);
      if (visibility === "live") published.target.revalidateSize(nqn);
    });
  }

  async replaceAll(images: readonly ExportedImage[]): Promise<void> {
    const all = [...this.#published.values()];
    // All connections break at once, as when the power goes; draining takes its time.
    for (const { target, exported } of all) target.cut(exported.nqn);
    for (const { exported } of all) await this.#takeAway(exported.nqn);
    await Promise.all(this.#ending.values());
    await this.#removeStale();
    for (const image of images) await this.publish(image);
  }

  /** Switches the namespace of an export off or on under the connections of its hosts. */
  setEnabled(nqn: string, enabled: boolean): void {
    this.#require(nqn).target.setEnabled(nqn, enabled);
  }

  /** Breaks the connections to an export and answers no more for it; namespace and identity stay. */
  interrupt(nqn: string): void {
    this.#require(nqn).target.cut(nqn);
  }

  /** Answers again for an export that `interrupt` has broken. */
  resume(nqn: string): void {
    const { target, exported } = this.#require(nqn);
    target.export(exported);
  }

  async close(): Promise<void> {
    await this.replaceAll([]);
    for (const target of this.#targets.values()) target.close();
    this.#targets.clear();
  }

  #require(nqn: string): Published {
    const published = this.#published.get(nqn);
    if (published !== undefined) return published;
    throw new Error(`Cannot find export "${nqn}": it is not exported`);
  }

  async #takeAway(nqn: string): Promise<void> {
    const published = this.#published.get(nqn);
    if (published === undefined) return;
    this.#published.delete(nqn);
    const ended = carriedOut(`take export "${nqn}" away`, () => this.#end(published));
    if (this.#options.switches.get("unexport-drain") === "yes") return await ended;
    const ending = ended
      .catch((error: unknown) => process.emitWarning(String(error)))
      .then(() => void this.#ending.delete(nqn));
    this.#ending.set(nqn, ending);
  }

  async #end({ target, exported: { nqn, image } }: Published): Promise<void> {
    target.cut(nqn);
    await target.drain(nqn);
    target.unexport(nqn);
    if (isLoopDevice(image)) await this.#options.loops.detach(image);
  }

  async #removeStale(): Promise<void> {
    const { configfs, groups, loops } = this.#options;
    await carriedOut("take over the exports that were left in the kernel", async () => {
      const devices = removeStaleExports(configfs, this.#serial, groups);
      for (const device of devices.filter(isLoopDevice)) await loops.detach(device);
    });
  }

  async #deviceOf({ path }: ExportedImage): Promise<string> {
    const { data, switches, loops } = this.#options;
    const image = join(data, path);
    const blockBytes = switches.get("block-size");
    const isFile = blockBytes === "4096" && switches.get("resize-visibility") !== "re-export";
    return isFile ? image : await loops.attach(image, blockBytes);
  }

  #targetOn(port: number): KernelTarget {
    const { configfs, groups } = this.#options;
    // A port of configfs is named by a number of 16 bits, as a port of TCP is.
    const target = this.#targets.get(port) ?? new KernelTarget(configfs, port, groups);
    this.#targets.set(port, target);
    return target;
  }
}

/** Translates what the kernel refuses into what RouterOS would print. */
async function carriedOut(act: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError(`failure: cannot ${act}: ${reason}`, { cause });
  }
}

/** The same for an NQN each time. */
function uuidOf(nqn: string): string {
  const hex = createHash("sha256").update(nqn).digest("hex");
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, "$1-$2-4$3-8$4-$5");
}
