import type { Clock } from "#lib/clock.ts";

/** Time that passes only where somebody sleeps, or when a test says so. */
export class ManualClock implements Clock {
  #now: number;
  #slept = 0;

  /** @param now - milliseconds since the Unix epoch. */
  constructor(now = 1_700_000_000_000) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  /** What all sleeps added up to, milliseconds. */
  get slept(): number {
    return this.#slept;
  }

  advance(milliseconds: number): void {
    this.#now += milliseconds;
  }

  async sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#slept += milliseconds;
    this.advance(milliseconds);
    await Promise.resolve();
  }
}
