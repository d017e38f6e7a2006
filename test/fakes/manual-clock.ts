import type { Clock } from "#lib/clock.ts";

/** Time that passes only where somebody sleeps, or when a test says so. */
export class ManualClock implements Clock {
  #date: number;
  #elapsed = 3_600_000;
  #slept = 0;

  /** @param date - milliseconds since the Unix epoch. */
  constructor(date = 1_700_000_000_000) {
    this.#date = date;
  }

  now(): Date {
    return new Date(this.#date);
  }

  elapsed(): number {
    return this.#elapsed;
  }

  /** What all sleeps added up to, milliseconds. */
  get slept(): number {
    return this.#slept;
  }

  advance(milliseconds: number): void {
    this.#date += milliseconds;
    this.#elapsed += milliseconds;
  }

  /** Sets the date forward, or back, without any time passing. */
  setDateBy(milliseconds: number): void {
    this.#date += milliseconds;
  }

  async sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#slept += milliseconds;
    this.advance(milliseconds);
    await Promise.resolve();
  }
}
