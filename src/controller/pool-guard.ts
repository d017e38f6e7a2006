import type { Appliance } from "#domain/ports/appliances.ts";
import type { Survey, Volume } from "#domain/volume.ts";
import { formatBytes } from "#lib/bytes.ts";
import type { Clock } from "#lib/clock.ts";
import type { Context } from "#lib/context.ts";
import type { Log } from "#lib/log.ts";
import { calmMs, roomToOpen, type Verdict, verdictOn } from "./emergency.ts";
import { putBack, takeOff } from "./halted-exports.ts";
import { requireKnown } from "./headroom.ts";

export interface PoolGuardParts {
  readonly appliance: Appliance;
  /** Names of appliances, for whoever publishes volumes. */
  readonly shutPools: Set<string>;
  readonly clock: Clock;
  readonly log: Log;
}

/** A reading that is wrong must neither cut off everybody, nor let everybody write to a pool that is full. */
const secondLookMs = 1_000;
const shutMs = 5_000;
const failedMs = 10_000;
/** Exports that are put back between two looks: what waited for them is written at once. */
const mostAtOnce = 8;

/**
 * Takes the exports of a pool that runs full off, and puts them back when there is room: to a node that is an outage,
 * which its holds sit out, while a full pool fails writes, and so stops file systems. Attachments and names stay as
 * they are. Every change is a compare-and-set on what was just read, so that replicas may guard the same pool.
 */
export class PoolGuard implements AsyncDisposable {
  readonly #parts: PoolGuardParts;
  readonly #end = new AbortController();
  #seen: Verdict | undefined;
  #told: Verdict = "open";
  #dueMs = failedMs;
  #failure = "";
  /** How many times exports were put back since the pool has room again. */
  #tried = 0;
  #loop: Promise<void> | undefined;

  constructor(parts: PoolGuardParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /**
   * Looks at the pool once. What two looks in a row agree on is done; nothing is published from the first on.
   * @returns milliseconds until the next look is due.
   * @throws {DriverError} when the appliance does not answer, or does not tell how much is free.
   */
  async look(): Promise<number> {
    const { appliance, shutPools } = this.#parts;
    const survey = await this.#survey();
    const volumes = this.#triedAll(survey) ? [] : survey.volumes;
    const verdict = verdictOn({ ...survey, volumes }, appliance.limits);
    const isSure = verdict === this.#seen;
    this.#seen = verdict;
    if (verdict === "shut") shutPools.add(appliance.name);
    if (!isSure && !isAsItShouldBe(survey, verdict)) return secondLookMs;
    return verdict === "shut" ? await this.#shut(survey) : await this.#open(survey);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { signal } = this.#end;
    while (!signal.aborted) {
      const dueMs = await this.#lookAndSay();
      await this.#parts.clock.sleep(dueMs, signal).catch(() => {});
    }
  }

  /** Nothing that a look meets ends the guard; what it meets again and again is said once. */
  async #lookAndSay(): Promise<number> {
    const { appliance, log } = this.#parts;
    try {
      this.#dueMs = await this.look();
      this.#failure = "";
      return this.#dueMs;
    } catch (error) {
      this.#seen = undefined;
      const failure = String(error);
      if (failure !== this.#failure && !this.#end.signal.aborted)
        log.warn(
          { appliance: appliance.name, error: failure },
          "Cannot keep a pool from running full",
        );
      this.#failure = failure;
      return Math.min(this.#dueMs, failedMs);
    }
  }

  /** Without a mark nothing is ever taken off, and what was is put back, whatever the appliance tells. */
  async #survey(): Promise<Survey> {
    const { appliance } = this.#parts;
    const survey = await appliance.volumes.survey(this.#context());
    if (appliance.limits.emergency > 0)
      requireKnown(survey.pool, `Cannot guard appliance "${appliance.name}"`);
    return survey;
  }

  async #shut(survey: Survey): Promise<number> {
    const { appliance, clock } = this.#parts;
    this.#tried = 0;
    const exported = survey.volumes.filter((volume) => volume.exported.enabled);
    this.#tell("shut", survey, exported.length);
    await takeOff(exported, { appliance, clock }, this.#context());
    return shutMs;
  }

  async #open(survey: Survey): Promise<number> {
    const { appliance, shutPools } = this.#parts;
    const halted = survey.volumes.filter(({ tag }) => tag.halted);
    // what another replica halts later has not been tried here
    if (halted.length === 0) this.#tried = 0;
    const isOver = halted.length === 0 || this.#triedAll(survey);
    if (isOver) shutPools.delete(appliance.name);
    this.#tell("open", survey, halted.length);
    await putBack(this.#someOf(halted), appliance, this.#context());
    const dueMs = calmMs(survey, appliance.limits);
    if (halted.length === 0) return dueMs;
    return isOver ? Math.min(dueMs, failedMs) : secondLookMs;
  }

  /** What is halted then cannot be put back: it waits by itself, and keeps the pool shut no longer. */
  #triedAll({ volumes }: Survey): boolean {
    const { length } = volumes.filter(({ tag }) => tag.halted);
    return this.#tried > 0 && this.#tried >= length;
  }

  /** Others each time: one that cannot be put back must not keep the rest waiting. */
  #someOf(halted: readonly Volume[]): readonly Volume[] {
    if (halted.length === 0) return [];
    const from = this.#tried % halted.length;
    this.#tried += mostAtOnce;
    return [...halted.slice(from), ...halted.slice(0, from)].slice(0, mostAtOnce);
  }

  #tell(verdict: Verdict, { pool }: Survey, exports: number): void {
    if (this.#told === verdict) return;
    this.#told = verdict;
    const { appliance, log } = this.#parts;
    const [free, size] = [formatBytes(pool.freeBytes), formatBytes(pool.sizeBytes)];
    const seen = { appliance: appliance.name, pool: pool.mountPoint, free, size, exports };
    if (verdict === "shut") log.error({ ...seen, openAt: roomToOpen(appliance.limits) }, shutText);
    else log.warn(seen, "The pool has room again: its exports are put back");
  }

  #context(): Context {
    return { signal: this.#end.signal, log: this.#parts.log };
  }
}

const shutText =
  "The pool runs full: its exports are off, so that writes wait instead of failing. Make room, and let pods that use its volumes be: unstaging discards what waits";

function isAsItShouldBe({ volumes }: Survey, verdict: Verdict): boolean {
  return verdict === "open"
    ? !volumes.some(({ tag }) => tag.halted)
    : !volumes.some(({ exported }) => exported.enabled);
}
