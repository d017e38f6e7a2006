import type { Context } from "#lib/context.ts";
import { SharedReads } from "#lib/shared-reads.ts";
import type { Dmsetup } from "./dmsetup.ts";

interface Reading {
  readonly one: () => Promise<string>;
  readonly all: (ctx: Context) => Promise<string>;
}

/** By the name of the device. */
type Reports = ReadonlyMap<string, string>;

/**
 * What the kernel tells of single holds. Who asks alone is answered alone. Those who ask while a process is at work share the
 * next one, which answers for all of them: an outage makes every volume of a node ask at once. An answer is never older than
 * its question.
 */
export class HoldReports {
  readonly #dmsetup: Dmsetup;
  readonly #reads = new SharedReads<Reports>();
  /** Processes, until they have ended. */
  readonly #atWork = new Set<Promise<unknown>>();

  constructor(dmsetup: Dmsetup) {
    this.#dmsetup = dmsetup;
  }

  /** @throws {ExecError} when dmsetup fails; see `saysAbsent`. */
  async table(name: string, ctx: Context): Promise<string> {
    const one = () => this.#dmsetup.table(name, ctx);
    return await this.#ask("table", name, { one, all: (ctx) => this.#dmsetup.tables(ctx) }, ctx);
  }

  /** @throws {ExecError} as `table`. */
  async status(name: string, ctx: Context): Promise<string> {
    const one = () => this.#dmsetup.status(name, ctx);
    return await this.#ask("status", name, { one, all: (ctx) => this.#dmsetup.statuses(ctx) }, ctx);
  }

  async #ask(what: string, name: string, { one, all }: Reading, ctx: Context): Promise<string> {
    const reports = this.#atWork.size === 0 ? undefined : await this.#share(what, all, ctx);
    return reports?.get(name) ?? (await this.#begin(one()));
  }

  /** It fails when any device of the host goes away meanwhile. @returns nothing then: whoever asks has to ask alone. */
  async #share(
    what: string,
    read: (ctx: Context) => Promise<string>,
    ctx: Context,
  ): Promise<Reports> {
    const inTurn = async (ctx: Context, sent: () => void) => {
      await Promise.all(this.#atWork);
      sent();
      return await this.#begin(read(ctx).then(byName, () => new Map<string, string>()));
    };
    return await this.#reads.get(what, inTurn, ctx).catch(() => new Map());
  }

  async #begin<T>(reading: Promise<T>): Promise<T> {
    const ended = reading.catch(() => {});
    this.#atWork.add(ended);
    try {
      return await reading;
    } finally {
      this.#atWork.delete(ended);
    }
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
