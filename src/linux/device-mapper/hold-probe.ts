import type { HoldProbe, HoldSupport } from "#domain/ports/device-mapper.ts";
import type { Context } from "#lib/context.ts";
import { failureOf } from "../exec-error.ts";
import type { Sysfs } from "../sysfs.ts";
import { toolFailure } from "../tool-failure.ts";
import type { Dmsetup } from "./dmsetup.ts";
import { formatTable } from "./multipath-table.ts";

const name = "rds-csi-probe";
const base = "rds-csi-probe-base";
const sectors = 8;

/**
 * Finds out what holds need by loading the table of one, over a device that only fails: the kernel then loads
 * dm-multipath and dm-service-time by itself, wherever the host keeps them, and says no if it has none. Nothing
 * is ever resumed on it, and no disk is touched.
 */
export class LinuxHoldProbe implements HoldProbe {
  readonly #dmsetup: Dmsetup;
  readonly #sysfs: Sysfs;

  constructor(dmsetup: Dmsetup, sysfs: Sysfs) {
    this.#dmsetup = dmsetup;
    this.#sysfs = sysfs;
  }

  async probe(ctx: Context): Promise<HoldSupport> {
    const missing = await this.#missing(ctx);
    const timeout = this.#parameter("dm_multipath", "queue_if_no_path_timeout_secs");
    return {
      missing,
      queueTimeoutSeconds: Number(timeout ?? 0),
      nativeMultipath: this.#parameter("nvme_core", "multipath") === "Y",
    };
  }

  async #missing(ctx: Context): Promise<string | undefined> {
    const attempt = await failureOf(this.#tryTable(ctx));
    await this.#removeBoth(ctx);
    if (attempt === undefined) return undefined;
    const failure = toolFailure("Cannot make a hold", attempt, "unimplemented");
    if (attempt.aborted) throw failure;
    return failure instanceof Error ? failure.message : String(failure);
  }

  async #tryTable(ctx: Context): Promise<void> {
    await this.#removeBoth(ctx);
    await this.#dmsetup.create(base, `0 ${sectors} error`, ctx);
    const under = this.#majorMinorOf(base);
    await this.#dmsetup.createWithoutTable(name, ctx);
    await this.#dmsetup.load(name, formatTable(sectors, under), ctx);
  }

  /** Also those of an attempt that was killed; that they are not there is the usual case. */
  async #removeBoth(ctx: Context): Promise<void> {
    await failureOf(this.#dmsetup.remove(name, ctx));
    await failureOf(this.#dmsetup.remove(base, ctx));
  }

  #majorMinorOf(uuid: string): string {
    const found = this.#sysfs
      .list("block")
      .find((device) => this.#sysfs.read("block", device, "dm", "uuid") === uuid);
    return this.#sysfs.read("block", found ?? "", "dev") ?? "0:0";
  }

  #parameter(module: string, parameter: string): string | undefined {
    return this.#sysfs.read("module", module, "parameters", parameter);
  }
}
