import type { Connection } from "#domain/ports/connections.ts";
import type { DamagedRecord } from "#domain/ports/stage-records.ts";
import type { StagedVolume } from "#domain/staged-volume.ts";
import { type Context, withTimeout } from "#lib/context.ts";
import type { KeyedMutex } from "#lib/keyed-mutex.ts";
import type { Log } from "#lib/log.ts";
import { Attendance } from "./attendance.ts";
import { conditionOfWell } from "./condition.ts";
import type { WatchHost } from "./host.ts";
import { isThin, widen } from "./missing-paths.ts";
import { isSame, keyOf, Watched } from "./watched.ts";

export interface WatchParts {
  readonly host: WatchHost;
  /** By volume id, shared with the calls: a volume that one is busy with is left alone. */
  readonly locks: KeyedMutex;
  readonly log: Log;
}

const calmMs = 1_000;
const incidentMs = 250;
/** A path that failed and was never seen failing shows only here: of a block that cannot be read. */
const surveyEveryMs = 10_000;
/** Whoever reads such a block is likely to read it again, and all I/O of the volume waits until that is seen. */
const alertMs = 600_000;
/**
 * Steps at the same time for volumes of the same target. Each may take as long as that one does not answer, and another
 * target's volumes must not wait for it.
 */
const mostAtOnce = 24;

/**
 * Brings staged volumes back after their connection was lost. It needs neither Kubernetes nor the appliance's
 * management: what the kernel shows decides. Nothing it meets ends it.
 */
export class Watch implements AsyncDisposable {
  readonly #parts: WatchParts;
  readonly #volumes = new Map<string, Watched>();
  /** Each with the addresses of its target. */
  readonly #steps = new Map<Promise<void>, string>();
  readonly #attendance: Attendance;
  readonly #end = new AbortController();
  #surveyAt = 0;
  #alertUntil = 0;
  #staged: readonly StagedVolume[] = [];
  #recordsFailure = "";
  #damaged: ReadonlySet<string> = new Set();
  #loop: Promise<void> | undefined;

  constructor(parts: WatchParts) {
    this.#parts = parts;
    this.#attendance = new Attendance(parts.host, parts.locks);
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Looks at every volume once. @returns after the looks, not after the steps that follow from them. */
  async tick(): Promise<void> {
    const ctx = this.#context();
    const staged = await this.#listStaged(ctx);
    this.#forgetOthers(staged);
    const disturbed = await this.#survey(ctx);
    for (const [volume, watched] of this.#longestDueFirst(staged)) {
      const isToldAnew = conditionOfWell(volume, watched.passedErrorsAt).message !== watched.told;
      if (disturbed.has(volume.target.nqn) || isToldAnew) watched.settled = undefined;
      if (!this.#hasRoom(volume)) continue;
      if (this.#needsAttention(volume, watched))
        this.#attend(volume, watched, (ctx) => this.#attendance.step(volume, watched, ctx));
      else if (!watched.isBusy && !watched.isLost && isThin(volume, watched, this.#now()))
        this.#attend(volume, watched, (ctx) => widen(volume, this.#parts, ctx));
    }
  }

  /** Resolves when no step is under way. */
  async idle(): Promise<void> {
    while (this.#steps.size > 0) await Promise.all(this.#steps.keys());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await this.#loop;
    await this.idle();
  }

  async #run(): Promise<void> {
    const { host, log } = this.#parts;
    const { signal } = this.#end;
    while (!signal.aborted) {
      await this.tick().catch((error: unknown) => {
        if (!signal.aborted) log.error({ error: String(error) }, "Cannot look after the volumes");
      });
      const isCalm = ![...this.#volumes.values()].some(({ isLost }) => isLost);
      await host.clock.sleep(isCalm ? calmMs : incidentMs, signal).catch(() => {});
    }
  }

  /** While the records cannot be read, those that were known are looked after. */
  async #listStaged(ctx: Context): Promise<readonly StagedVolume[]> {
    const { host, log } = this.#parts;
    try {
      const { volumes, damaged } = await host.records.list(ctx);
      this.#staged = volumes.filter(({ phase }) => phase === "staged");
      this.#sayDamaged(damaged);
      this.#recordsFailure = "";
    } catch (error) {
      const failure = String(error);
      if (failure !== this.#recordsFailure)
        log.error(
          { error: failure },
          "Cannot read which volumes are staged: going on with those known",
        );
      this.#recordsFailure = failure;
    }
    return this.#staged;
  }

  /** Once for each; one that was put right meanwhile counts as new. */
  #sayDamaged(damaged: readonly DamagedRecord[]): void {
    for (const { path, reason } of damaged)
      if (!this.#damaged.has(reason))
        this.#parts.log.error(
          { path, reason },
          "Cannot look after a volume: its record is damaged",
        );
    this.#damaged = new Set(damaged.map(({ reason }) => reason));
  }

  #needsAttention({ target }: StagedVolume, watched: Watched): boolean {
    const now = this.#now();
    if (watched.isBusy) return false;
    if (!watched.isLost && now < watched.dueAt) return false;
    const connection = this.#parts.host.connections.observe(target.nqn);
    watched.paths = connection.paths;
    if (watched.isLost) return this.#isNew(connection, watched) || now >= watched.dueAt;
    watched.dueAt = now + calmMs - incidentMs / 2;
    return connection !== watched.settled && !isSame(connection, watched.settled);
  }

  #isNew(connection: Connection, watched: Watched): boolean {
    const seen = keyOf(connection);
    const isNew = seen !== watched.lastSeen;
    watched.lastSeen = seen;
    return isNew;
  }

  /** So that of many which take long each has its turn. */
  #longestDueFirst(staged: readonly StagedVolume[]): (readonly [StagedVolume, Watched])[] {
    const all = staged.map((volume) => [volume, this.#watched(volume)] as const);
    return all.sort(([, one], [, other]) => one.dueAt - other.dueAt);
  }

  /** A volume that finds no room is not even looked at: what would make it due is still news at a later tick. */
  #hasRoom(volume: StagedVolume): boolean {
    if (this.#steps.size < mostAtOnce) return true;
    const place = placeOf(volume);
    return [...this.#steps.values()].filter((other) => other === place).length < mostAtOnce;
  }

  #attend(volume: StagedVolume, watched: Watched, take: (ctx: Context) => Promise<void>): void {
    watched.isBusy = true;
    const log = this.#parts.log.child({ volumeId: volume.volumeId, nqn: volume.target.nqn });
    const step = take({ ...this.#context(), log }).finally(() => {
      watched.isBusy = false;
      this.#steps.delete(step);
    });
    this.#steps.set(step, placeOf(volume));
  }

  async #survey(ctx: Context): Promise<ReadonlySet<string>> {
    const { host, log } = this.#parts;
    const now = host.clock.elapsed();
    if (host.survey === undefined || now < this.#surveyAt) return new Set();
    this.#surveyAt = now + surveyEveryMs;
    try {
      using limited = withTimeout(ctx, calmMs);
      const disturbed = await host.survey.disturbed(limited);
      if (disturbed.size > 0) this.#alertUntil = now + alertMs;
      if (now < this.#alertUntil) this.#surveyAt = now + calmMs;
      return disturbed;
    } catch (error) {
      log.warn({ error: String(error) }, "Cannot look at the holds");
      return new Set();
    }
  }

  #now(): number {
    return this.#parts.host.clock.elapsed();
  }

  #watched(volume: StagedVolume): Watched {
    const key = keyOfVolume(volume);
    const { volumeId, target } = volume;
    const watched = this.#volumes.get(key) ?? new Watched({ volumeId, nqn: target.nqn });
    this.#volumes.set(key, watched);
    return watched;
  }

  /**
   * The connection of one that a step or a call is busy with is forgotten at a later tick: a step remembers it anew, a call
   * may stage it again. What it went through is forgotten at once.
   */
  #forgetOthers(staged: readonly StagedVolume[]): void {
    const kept = new Set(staged.map(keyOfVolume));
    const ids = new Set(staged.map(({ volumeId }) => volumeId));
    const { host, locks } = this.#parts;
    for (const [key, watched] of this.#volumes) {
      if (kept.has(key) || watched.isBusy) continue;
      const { volumeId, nqn } = watched;
      this.#volumes.set(key, new Watched(watched));
      using lock = locks.tryAcquire(volumeId);
      if (lock === undefined) continue;
      this.#volumes.delete(key);
      host.connections.forget(nqn);
      if (!ids.has(volumeId)) host.health.forget(volumeId);
    }
  }

  #context(): Context {
    return { signal: this.#end.signal, log: this.#parts.log };
  }
}

/** Where its target is: what does not answer there may not answer for all of its volumes. */
function placeOf({ target }: StagedVolume): string {
  return target.addresses.join();
}

/** Staged again after it was elsewhere, it is another one: so is all that is remembered of it. */
function keyOfVolume({ volumeId, target }: StagedVolume): string {
  return `${volumeId} ${target.nqn}`;
}
