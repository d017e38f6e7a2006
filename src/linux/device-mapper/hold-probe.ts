import type { HoldProbe, HoldSupport } from "#domain/ports/device-mapper.ts";
import { type Clock, systemClock } from "#lib/clock.ts";
import type { Context } from "#lib/context.ts";
import { randomNonce } from "#lib/nonce.ts";
import { type ExecError, failureOf } from "../exec-error.ts";
import type { Sysfs } from "../sysfs.ts";
import { toolFailure } from "../tool-failure.ts";
import type { Dmsetup } from "./dmsetup.ts";
import { formatTable } from "./multipath-table.ts";

const prefix = "rds-csi-probe-";
const sectors = 8;
/** A probe takes less than a second; one of this age was killed. */
const leftoverMs = 60_000;

type Answer = Pick<HoldSupport, "missing" | "unanswered">;

interface Names {
  readonly hold: string;
  /** What the hold would lie on. */
  readonly base: string;
}

/**
 * Finds out what holds need by loading the table of one, over a device that only fails: the kernel then loads
 * dm-multipath and dm-service-time by itself, wherever the host keeps them, and says no if it has none. Nothing
 * is ever resumed on it, and no disk is touched. Each probe has names of its own, which tell when they were made:
 * two plugins that start at once, or a check beside one, must not take each other's devices for a missing module.
 */
export class LinuxHoldProbe implements HoldProbe {
  readonly #dmsetup: Dmsetup;
  readonly #sysfs: Sysfs;
  readonly #clock: Clock;

  constructor(dmsetup: Dmsetup, sysfs: Sysfs, clock: Clock = systemClock) {
    this.#dmsetup = dmsetup;
    this.#sysfs = sysfs;
    this.#clock = clock;
  }

  async probe(ctx: Context): Promise<HoldSupport> {
    const answer = await this.#answer(ctx);
    const timeout = this.#parameter("dm_multipath", "queue_if_no_path_timeout_secs");
    return {
      ...answer,
      queueTimeoutSeconds: Number(timeout ?? 0),
      nativeMultipath: this.#parameter("nvme_core", "multipath") === "Y",
    };
  }

  async #answer(ctx: Context): Promise<Answer> {
    const before = await failureOf(this.#removeLeftovers(ctx));
    // nothing that takes longer is begun, which might be left behind each time
    if (before !== undefined && isSilence(before)) return answerOf(before);
    const hold = `${prefix}${this.#clock.elapsed()}-${randomNonce()}`;
    const names = { hold, base: `${hold}-base` };
    const attempt = await failureOf(this.#tryTable(names, ctx));
    await this.#remove(names, ctx);
    return attempt === undefined ? { missing: undefined } : answerOf(attempt);
  }

  async #tryTable({ hold, base }: Names, ctx: Context): Promise<void> {
    await this.#dmsetup.create(base, `0 ${sectors} error`, ctx);
    const under = this.#majorMinorOf(base);
    await this.#dmsetup.createWithoutTable(hold, ctx);
    await this.#dmsetup.load(hold, formatTable(sectors, under), ctx);
  }

  /** Those that the attempt did not get to are not there. */
  async #remove({ hold, base }: Names, ctx: Context): Promise<void> {
    await failureOf(this.#dmsetup.remove(hold, ctx));
    await failureOf(this.#dmsetup.remove(base, ctx));
  }

  /** The hold first: it may have its base open. */
  async #removeLeftovers(ctx: Context): Promise<void> {
    const before = this.#clock.elapsed() - leftoverMs;
    for (const name of (await this.#dmsetup.names(ctx)).sort()) {
      const [, madeAt] = /^rds-csi-probe-(\d+)-/.exec(name) ?? [];
      if (madeAt !== undefined && Number(madeAt) < before)
        await failureOf(this.#dmsetup.remove(name, ctx));
    }
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

function answerOf(error: ExecError): Answer {
  const failure = toolFailure("Cannot make a hold", error, "unimplemented");
  if (error.aborted) throw failure;
  const missing = failure instanceof Error ? failure.message : String(failure);
  return isSilence(error) ? { missing, unanswered: true } : { missing };
}

/** It did not end, or was ended by somebody: what it would have said nobody knows. */
function isSilence({ timedOut, aborted, notInstalled, exitCode }: ExecError): boolean {
  return timedOut || aborted || (!notInstalled && exitCode === undefined);
}
