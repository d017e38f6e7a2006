import { DriverError } from "#domain/errors.ts";
import type { StagedVolume } from "#domain/staged-volume.ts";
import { type Context, withTimeout } from "#lib/context.ts";
import type { KeyedMutex } from "#lib/keyed-mutex.ts";
import { act } from "./act.ts";
import { conditionFor, conditionOfWell } from "./condition.ts";
import { type Action, decide } from "./decide.ts";
import type { WatchHost } from "./host.ts";
import { renewedRecord } from "./identity.ts";
import { look } from "./look.ts";
import type { Outcome } from "./outcome.ts";
import { mustPark, park } from "./park.ts";
import type { Sight } from "./sight.ts";
import { keyOf, type Watched } from "./watched.ts";

/** Longest that one look and one step may hold a volume's lock. */
const stepLimitMs = 60_000;

const soonMs = 200;
const retryMs = 1_000;
const longestRetryMs = 10_000;

/** How long to leave a volume alone after a step that went well; a change of its connection comes first. */
const pauses = {
  nothing: 0,
  wait: longestRetryMs,
  report: longestRetryMs,
  resume: soonMs,
  "queue-again": soonMs,
  reinstate: soonMs,
  "pass-errors": soonMs,
  "prove-and-swap": soonMs,
  remount: soonMs,
  withdraw: soonMs,
  reset: retryMs,
  rescan: retryMs,
  reconnect: retryMs,
  connect: soonMs,
  "end-hold": retryMs,
} as const satisfies Record<Action["do"], number>;

/** Decisions that change nothing, and so need no lock. */
const idle: ReadonlySet<Action["do"]> = new Set(["nothing", "wait", "report"]);

interface Decision {
  readonly sight: Sight;
  readonly action: Action;
}

/** One volume, one step at a time: look, decide, say so, act. */
export class Attendance {
  readonly #host: WatchHost;
  readonly #locks: KeyedMutex;

  constructor(host: WatchHost, locks: KeyedMutex) {
    this.#host = host;
    this.#locks = locks;
  }

  /** Never throws: what fails is logged once, and tried again later. */
  async step(volume: StagedVolume, watched: Watched, ctx: Context): Promise<void> {
    const startedAt = this.#host.clock.elapsed();
    try {
      using limited = withTimeout(ctx, stepLimitMs);
      await this.#step(volume, watched, limited);
    } catch (error) {
      const took = this.#host.clock.elapsed() - startedAt;
      // At least as long as it took, so that calls for the volume find its lock free half of the time.
      this.#pause(watched, Math.min(Math.max(retryMs, took), longestRetryMs));
      if (ctx.signal.aborted) return;
      this.#sayOnce(watched, String(error), ctx);
      this.#hinder(volume, watched, error);
    }
  }

  /** A volume that a call is busy with is left to it, for a second. */
  async #step(listed: StagedVolume, watched: Watched, ctx: Context): Promise<void> {
    const glance = await this.#decide(listed, watched, ctx);
    if (glance === undefined) return;
    const { action, sight } = glance;
    if (idle.has(action.do) && !this.#mustRecord(glance) && !mustPark(action, sight))
      return await this.#take(glance, watched, ctx);
    using lock = this.#locks.tryAcquire(listed.volumeId);
    if (lock === undefined) return this.#pause(watched, retryMs);
    // The call that had the lock until now may have changed everything.
    const decision = await this.#decide(listed, watched, ctx);
    if (decision !== undefined) await this.#take(decision, watched, ctx);
  }

  #mustRecord({ action, sight }: Decision): boolean {
    return action.do === "nothing" && renewedRecord(sight, this.#host.clock.now()) !== undefined;
  }

  async #decide(
    { volumeId, target }: StagedVolume,
    watched: Watched,
    ctx: Context,
  ): Promise<Decision | undefined> {
    const volume = await this.#host.records.find(volumeId, ctx);
    if (volume?.phase !== "staged" || volume.target.nqn !== target.nqn) return undefined;
    const sight = await look(volume, watched, this.#host, ctx);
    return { sight, action: decide(sight) };
  }

  async #take({ sight, action }: Decision, watched: Watched, ctx: Context): Promise<void> {
    watched.lastSeen = keyOf(sight.connection);
    if (action.do === "nothing") return await this.#close(sight, watched, ctx);
    this.#open(action, sight, watched, ctx);
    if (mustPark(action, sight)) await this.#park(sight, watched, ctx);
    const outcome = await act(action, sight, this.#host, ctx);
    watched.obstacle = undefined;
    this.#remember(action, outcome, { watched, sight });
    this.#pause(watched, this.#pauseAfter(action, sight));
  }

  async #park(sight: Sight, watched: Watched, ctx: Context): Promise<void> {
    watched.past = { ...watched.past, parked: watched.past.parked + 1 };
    await park(sight, this.#host, ctx);
  }

  #open(action: Action, sight: Sight, watched: Watched, ctx: Context): void {
    const { clock, health } = this.#host;
    const { state, device } = sight.connection;
    const facts = { connection: state, device: device?.majorMinor };
    if (watched.begin(clock.elapsed())) ctx.log.warn(facts, beginning(state));
    const decided = JSON.stringify(action);
    if (decided !== watched.decided || idle.has(action.do)) watched.obstacle = undefined;
    const { obstacle } = watched;
    const condition = conditionFor(action, sight, clock.now());
    health.report(sight.volume.volumeId, { ...condition, ...(obstacle && { obstacle }) });
    if (decided === watched.decided) return;
    watched.decided = decided;
    ctx.log.info({ ...facts, ...action, lostMs: sight.lostMs }, "Decided about a volume");
  }

  /** What must outlive this process is written down before the incident is over: what fails is tried again. */
  async #close(sight: Sight, watched: Watched, ctx: Context): Promise<void> {
    const { health, clock, records } = this.#host;
    const { connection, past, lostMs } = sight;
    const renewed = renewedRecord(sight, clock.now());
    const volume = renewed ?? sight.volume;
    const condition = conditionOfWell(volume, watched.passedErrorsAt);
    health.report(volume.volumeId, condition);
    if (renewed !== undefined) await records.save(renewed, ctx);
    if (past.newIdentity)
      ctx.log.warn(
        { was: sight.volume.identity, is: volume.identity },
        "Writes that the appliance had acknowledged may be lost: it may have crashed",
      );
    const isBack = connection.device !== undefined;
    const end = isBack ? "A volume works again" : "A volume is left until it is staged again";
    if (watched.isLost) ctx.log.info({ durationMs: lostMs }, end);
    watched.end(connection, condition.message);
  }

  #remember(
    action: Action,
    { refused }: Outcome,
    { watched, sight }: { readonly watched: Watched; readonly sight: Sight },
  ): void {
    const { clock } = this.#host;
    const now = clock.elapsed();
    const { past } = watched;
    if (refused !== undefined) {
      watched.past = { ...past, refused };
      watched.refusedAt = now;
    }
    if (action.do === "rescan") watched.past = { ...past, rescanned: past.rescanned + 1 };
    if (action.do === "reconnect")
      watched.past = { ...past, rescanned: 0, reconnected: past.reconnected + 1 };
    if (action.do === "reset") watched.countReset(now);
    if (action.do === "pass-errors") watched.passedErrorsAt = clock.now();
    if (action.do === "end-hold") watched.past = { ...past, ended: action.reason };
    if (action.do === "reinstate" && sight.connection.state === "live")
      watched.reinstatedAt = [...watched.reinstatedAt, now];
  }

  /** Never past the end of `ioHoldSeconds`. */
  #pauseAfter(action: Action, { volume, lostMs }: Sight): number {
    const { ioHoldSeconds } = volume.reconnect;
    const pause = pauses[action.do];
    if (ioHoldSeconds === undefined) return pause;
    const left = ioHoldSeconds * 1_000 - lostMs;
    return left > 0 ? Math.min(pause, left) : pause;
  }

  #pause(watched: Watched, milliseconds: number): void {
    watched.dueAt = this.#host.clock.elapsed() + milliseconds;
  }

  /** Told beside the condition until that step goes well, or another one is to be taken. */
  #hinder({ volumeId }: StagedVolume, watched: Watched, error: unknown): void {
    const { health } = this.#host;
    const condition = health.conditionOf(volumeId);
    if (condition?.state !== "waiting") return;
    const isForeseen = error instanceof DriverError;
    watched.obstacle = isForeseen ? error.message : "an unforeseen error, which the log tells";
    health.report(volumeId, { ...condition, obstacle: watched.obstacle });
  }

  #sayOnce(watched: Watched, error: string, ctx: Context): void {
    if (watched.failure === error) return;
    watched.failure = error;
    ctx.log.warn({ error }, "Cannot bring a volume back yet");
  }
}

function beginning(state: Sight["connection"]["state"]): string {
  return state === "live"
    ? "A volume is connected and its device or its hold is not as it was"
    : "A volume lost its connection";
}
