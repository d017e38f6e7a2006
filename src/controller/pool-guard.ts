import type { Appliance } from "#domain/ports/appliances.ts";
import type { Pool, Survey } from "#domain/volume.ts";
import { formatBytes } from "#lib/bytes.ts";
import type { Clock } from "#lib/clock.ts";
import type { Context } from "#lib/context.ts";
import type { Log } from "#lib/log.ts";
import { calmMs, roomToOpen, verdictOn } from "./emergency.ts";
import { putBack, takeOff } from "./halted-exports.ts";
import { requireKnown } from "./headroom.ts";

export interface PoolGuardParts {
  readonly appliance: Appliance;
  /** Names of appliances, for whoever publishes volumes. */
  readonly shutPools: Set<string>;
  readonly clock: Clock;
  readonly log: Log;
}

/** One reading that is wrong must not cut off everybody. */
const doubtMs = 1_000;
const shutMs = 5_000;
const failedMs = 10_000;

/**
 * Takes the exports of a pool that runs full off, and puts them back when there is room: to a node that is an outage,
 * which its holds sit out, while a full pool fails writes, and so stops file systems. Attachments and names stay as
 * they are. Every change is a compare-and-set on what was just read, so that replicas may guard the same pool.
 */
export class PoolGuard implements AsyncDisposable {
  readonly #parts: PoolGuardParts;
  readonly #end = new AbortController();
  #isDoubted = false;
  #failure = "";
  #loop: Promise<void> | undefined;

  constructor(parts: PoolGuardParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /**
   * Looks at the pool once, and does what follows; the first look below the mark is only a reason for another one.
   * @returns milliseconds until the next look is due.
   * @throws {DriverError} when the appliance does not answer, or does not tell how much is free.
   */
  async look(): Promise<number> {
    const { appliance, shutPools } = this.#parts;
    const survey = await appliance.volumes.survey(this.#context());
    requireKnown(survey.pool, `Cannot guard appliance "${appliance.name}"`);
    const verdict = verdictOn(survey, appliance.limits);
    this.#isDoubted = verdict === "shut" && !shutPools.has(appliance.name) && !this.#isDoubted;
    if (this.#isDoubted) return doubtMs;
    if (verdict === "open" && (await this.#open(survey))) return calmMs(survey, appliance.limits);
    if (verdict === "shut") await this.#shut(survey);
    return shutMs;
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
      const dueMs = await this.look();
      this.#failure = "";
      return dueMs;
    } catch (error) {
      const failure = String(error);
      if (failure !== this.#failure && !this.#end.signal.aborted)
        log.warn({ appliance: appliance.name, error: failure }, "Cannot see if a pool runs full");
      this.#failure = failure;
      return failedMs;
    }
  }

  async #shut({ pool, volumes }: Survey): Promise<void> {
    const { appliance, shutPools, clock, log } = this.#parts;
    const exported = volumes.filter((volume) => volume.exported.enabled);
    if (!shutPools.has(appliance.name))
      log.error(
        {
          ...roomOf(pool, appliance),
          exports: exported.length,
          backWhenFree: roomToOpen(appliance.limits),
        },
        "The pool runs full: its exports are taken off, so that writes wait instead of failing. Make room",
      );
    shutPools.add(appliance.name);
    await takeOff(exported, appliance, clock.now(), this.#context());
  }

  /** @returns whether nothing is left to do. */
  async #open({ pool, volumes }: Survey): Promise<boolean> {
    const { appliance, shutPools, log } = this.#parts;
    const halted = volumes.filter(({ tag }) => tag.halted);
    if (shutPools.delete(appliance.name) || halted.length > 0)
      log.warn(
        { ...roomOf(pool, appliance), exports: halted.length },
        "The pool has room again: its exports are put back",
      );
    return await putBack(halted, appliance, this.#context());
  }

  #context(): Context {
    return { signal: this.#end.signal, log: this.#parts.log };
  }
}

function roomOf({ mountPoint, freeBytes, sizeBytes }: Pool, { name }: Appliance) {
  const [free, size] = [formatBytes(freeBytes), formatBytes(sizeBytes)];
  return { appliance: name, pool: mountPoint, free, size };
}
