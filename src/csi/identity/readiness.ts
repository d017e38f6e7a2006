import type { Clock } from "#lib/clock.ts";
import { type Context, withTimeout } from "#lib/context.ts";

export interface ReadinessOptions {
  /** Throws the reason when calls cannot be served now. */
  readonly check: (ctx: Context) => Promise<void>;
  readonly limitMilliseconds: number;
  /** How long an answer holds: probes come from several sidecars at once. */
  readonly cacheMilliseconds: number;
  readonly clock: Clock;
}

/** Answers Probe: a failing check means "not ready", not an error, and its reason is logged when it changes. */
export class Readiness {
  readonly #options: ReadinessOptions;
  #last: { readonly ready: boolean; readonly at: number } | undefined;
  #reason: string | undefined;

  constructor(options: ReadinessOptions) {
    this.#options = options;
  }

  readonly ready = async (ctx: Context): Promise<boolean> => {
    const { cacheMilliseconds, clock } = this.#options;
    if (this.#last && clock.now() - this.#last.at < cacheMilliseconds) return this.#last.ready;
    const reason = await this.#failure(ctx);
    // A caller that did not wait has learned nothing about the check.
    if (ctx.signal.aborted) return false;
    this.#last = { ready: reason === undefined, at: clock.now() };
    if (reason !== this.#reason) tell(reason, ctx);
    this.#reason = reason;
    return this.#last.ready;
  };

  async #failure(ctx: Context): Promise<string | undefined> {
    const { check, limitMilliseconds } = this.#options;
    try {
      using limited = withTimeout(ctx, limitMilliseconds);
      await check(limited);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
}

function tell(reason: string | undefined, { log }: Context): void {
  if (reason === undefined) log.info({}, "Ready to serve");
  else log.warn({ reason }, "Not ready to serve");
}
