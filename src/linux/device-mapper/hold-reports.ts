import type { Context } from "#lib/context.ts";
import { SharedReads } from "#lib/shared-reads.ts";
import type { Dmsetup } from "./dmsetup.ts";

/** By the name of the device. */
type Reports = ReadonlyMap<string, string>;

/**
 * What the kernel tells of single holds. Those who ask while a process is at work share the next one, which answers
 * for all of them: an outage makes every volume of a node ask at once. An answer is never older than its question.
 */
export class HoldReports {
  readonly #dmsetup: Dmsetup;
  readonly #reads = new SharedReads<Reports>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(dmsetup: Dmsetup) {
    this.#dmsetup = dmsetup;
  }

  /** @throws {ExecError} when dmsetup fails; see `saysAbsent`. */
  async table(name: string, ctx: Context): Promise<string> {
    const all = await this.#share("table", (ctx) => this.#dmsetup.tables(ctx), ctx);
    return all.get(name) ?? (await this.#dmsetup.table(name, ctx));
  }

  /** @throws {ExecError} as `table`. */
  async status(name: string, ctx: Context): Promise<string> {
    const all = await this.#share("status", (ctx) => this.#dmsetup.statuses(ctx), ctx);
    return all.get(name) ?? (await this.#dmsetup.status(name, ctx));
  }

  /** It fails when any device of the host goes away meanwhile. @returns nothing then: whoever asks has to ask alone. */
  async #share(
    what: string,
    read: (ctx: Context) => Promise<string>,
    ctx: Context,
  ): Promise<Reports> {
    const inTurn = async (ctx: Context, sent: () => void) => {
      await this.#last;
      sent();
      const reading = read(ctx).then(byName, () => new Map<string, string>());
      this.#last = reading;
      return await reading;
    };
    return await this.#reads.get(what, inTurn, ctx).catch(() => new Map());
  }
}

/** From lines of the form `<name>: <report>`; a table may have more than one. */
export function byName(text: string): Reports {
  const reports = new Map<string, string>();
  for (const line of text.split("\n")) {
    const at = line.indexOf(": ");
    if (at < 0) continue;
    const name = line.slice(0, at);
    reports.set(name, `${reports.get(name) ?? ""}${line.slice(at + 2)}\n`);
  }
  return reports;
}
