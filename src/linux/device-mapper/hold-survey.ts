import type { Nqn } from "#domain/nqn.ts";
import type { HoldSurvey } from "#domain/ports/hold-survey.ts";
import type { Context } from "#lib/context.ts";
import type { Sysfs } from "#linux/sysfs.ts";
import { toolFailure } from "#linux/tool-failure.ts";
import type { Dmsetup } from "./dmsetup.ts";
import { nqnOfHold } from "./hold-name.ts";
import { byName } from "./hold-reports.ts";
import { parseStatus } from "./multipath-status.ts";

/** One process and one attribute per hold, however many there are. */
export class LinuxHoldSurvey implements HoldSurvey {
  readonly #dmsetup: Dmsetup;
  readonly #sysfs: Sysfs;

  constructor(dmsetup: Dmsetup, sysfs: Sysfs) {
    this.#dmsetup = dmsetup;
    this.#sysfs = sysfs;
  }

  async disturbed(ctx: Context): Promise<ReadonlySet<Nqn>> {
    const names = this.#sysfs.list("block").filter((name) => /^dm-\d+$/.test(name));
    if (names.length === 0) return new Set();
    const suspended = names
      .filter((name) => this.#sysfs.read("block", name, "dm", "suspended") === "1")
      .flatMap((name) => nqnOfHold(this.#sysfs.read("block", name, "dm", "uuid") ?? "") ?? []);
    return new Set([...suspended, ...withFailedPath(await this.#statuses(ctx))]);
  }

  async #statuses(ctx: Context): Promise<string> {
    try {
      return await this.#dmsetup.statuses(ctx);
    } catch (error) {
      throw toolFailure("Cannot look at the holds of this host", error, "unavailable");
    }
  }
}

/**
 * From lines of the form `<name>: <status>`; other owners' devices, and lines in no known form, are left out: this
 * is a hint, and `DeviceMapper.status` is the one that must be right.
 */
export function withFailedPath(text: string): Nqn[] {
  return [...byName(text)].flatMap(([name, status]) => {
    const nqn = nqnOfHold(name);
    return nqn !== undefined && hasFailedPath(status) ? [nqn] : [];
  });
}

function hasFailedPath(status: string): boolean {
  try {
    return parseStatus(status).includes("failed");
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}
