import type { Nqn } from "#domain/nqn.ts";
import type { HoldSurvey } from "#domain/ports/hold-survey.ts";
import type { Context } from "#lib/context.ts";
import type { Exec } from "#linux/exec.ts";
import type { Sysfs } from "#linux/sysfs.ts";
import { toolFailure } from "#linux/tool-failure.ts";
import { nqnOfHold } from "./hold-name.ts";
import { parseStatus } from "./multipath-status.ts";

const statusLimitMs = 10_000;

/** One process and one attribute per hold, however many there are. */
export class LinuxHoldSurvey implements HoldSurvey {
  readonly #exec: Exec;
  readonly #sysfs: Sysfs;

  constructor(exec: Exec, sysfs: Sysfs) {
    this.#exec = exec;
    this.#sysfs = sysfs;
  }

  async disturbed(ctx: Context): Promise<ReadonlySet<Nqn>> {
    const names = this.#sysfs.list("block").filter((name) => /^dm-\d+$/.test(name));
    if (names.length === 0) return new Set();
    const suspended = names
      .filter((name) => this.#sysfs.read("block", name, "dm", "suspended") === "1")
      .flatMap((name) => nqnOfHold(this.#sysfs.read("block", name, "dm", "uuid") ?? "") ?? []);
    return new Set([...suspended, ...withFailedPath(await this.#status(ctx))]);
  }

  async #status(ctx: Context): Promise<string> {
    const args = ["status", "--target", "multipath"];
    try {
      return (await this.#exec({ file: "dmsetup", args, timeoutMs: statusLimitMs }, ctx)).stdout;
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
  return text.split("\n").flatMap((line) => {
    const at = line.indexOf(": ");
    const nqn = nqnOfHold(line.slice(0, Math.max(at, 0)));
    return nqn !== undefined && hasFailedPath(line.slice(at + 2)) ? [nqn] : [];
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
