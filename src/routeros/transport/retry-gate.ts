import { DriverError } from "#domain/errors.ts";
import type { Clock } from "#lib/clock.ts";

/** Milliseconds before the first repeat; doubled with each failure up to the maximum. */
const firstDelayMs = 500;
const maxDelayMs = 15_000;

/**
 * Keeps callers from waiting for what has just failed: after a failure all further attempts fail at once,
 * for a time that grows with each failure in a row.
 */
export class RetryGate {
  readonly #clock: Clock;
  readonly #random: () => number;
  #failures = 0;
  #last: { readonly error: DriverError; readonly until: number } | undefined;

  /** @param random - 0 to 1; spreads the attempts of several drivers. */
  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  /** @throws {DriverError} the attempt's failure, or the last one again while it is too early to try. */
  async pass<T>(attempt: () => Promise<T>): Promise<T> {
    const wait = (this.#last?.until ?? 0) - this.#clock.elapsed();
    if (this.#last !== undefined && wait > 0) throw again(this.#last.error, wait);
    try {
      const result = await attempt();
      this.#failures = 0;
      this.#last = undefined;
      return result;
    } catch (error) {
      if (error instanceof DriverError) this.#remember(error);
      throw error;
    }
  }

  #remember(error: DriverError): void {
    const delay = Math.min(firstDelayMs * 2 ** this.#failures, maxDelayMs);
    const jitter = 0.75 + this.#random() / 2;
    this.#failures += 1;
    this.#last = { error, until: this.#clock.elapsed() + delay * jitter };
  }
}

function again({ kind, message }: DriverError, waitMs: number): DriverError {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  return new DriverError(kind, `${message} (next attempt within ${seconds} s)`);
}
