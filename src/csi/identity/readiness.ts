import { abortable } from "#lib/abortable.ts";
import type { Clock } from "#lib/clock.ts";
import type { Context } from "#lib/context.ts";
import type { Log } from "#lib/log.ts";
import { timeLimit } from "#lib/time-limit.ts";

export interface ReadinessOptions {
  /** Throws the reason when calls cannot be served now. */
  readonly check: (ctx: Context) => Promise<void>;
  readonly limitMilliseconds: number;
  /** How long an answer holds: probes come from several sidecars at once. */
  readonly cacheMilliseconds: number;
  readonly clock: Clock;
}

/**
 * Answers Probe: a failing check means "not ready", not an error, and its reason is logged when it changes.
 * Callers share one check, which does not end with any of them: probes often have a second only, and a slow
 * appliance would never get to the end of its first one.
 */
export class Readiness {
  readonly #options: ReadinessOptions;
  #last: { readonly ready: boolean; readonly at: number } | undefined;
  #reason: string | undefined;
  #checking: Promise<boolean> | undefined;

  constructor(options: ReadinessOptions) {
    this.#options = options;
  }

  /** @throws the signal's reason when the caller leaves first. */
  readonly ready = async ({ signal, log }: Context): Promise<boolean> => {
    const { cacheMilliseconds, clock } = this.#options;
    if (this.#last && clock.elapsed() - this.#last.at < cacheMilliseconds) return this.#last.ready;
    this.#checking ??= this.#check(log).finally(() => {
      this.#checking = undefined;
    });
    return await abortable(this.#checking, signal);
  };

  async #check(log: Log): Promise<boolean> {
    const reason = await this.#failure(log);
    const ready = reason === undefined;
    this.#last = { ready, at: this.#options.clock.elapsed() };
    if (reason !== this.#reason) tell(reason, log);
    this.#reason = reason;
    return ready;
  }

  async #failure(log: Log): Promise<string | undefined> {
    const { check, limitMilliseconds } = this.#options;
    try {
      using limit = timeLimit(limitMilliseconds);
      await check({ log, signal: limit.signal });
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
}

function tell(reason: string | undefined, log: Log): void {
  if (reason === undefined) log.info({}, "Ready to serve");
  else log.warn({ reason }, "Not ready to serve");
}
