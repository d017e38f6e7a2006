import type { Clock } from "#lib/clock.ts";

/**
 * What interrupted tries have left of copies, by UUID. A line that nobody waits for any more may still be running on the
 * appliance, between making the copy and its entry: so a leftover is cleared away only when it has been seen without an
 * entry for as long as a line may take.
 */
export class RestingLeftovers {
  readonly #clock: Clock;
  readonly #restMs: number;
  readonly #firstSeen = new Map<string, number>();

  constructor(clock: Clock, restMs: number) {
    this.#clock = clock;
    this.#restMs = restMs;
  }

  /** @returns milliseconds until it may be cleared away, counted from the first time this is asked. */
  remaining(uuid: string): number {
    const now = this.#clock.elapsed();
    const since = this.#firstSeen.get(uuid) ?? now;
    this.#firstSeen.set(uuid, since);
    return Math.max(since + this.#restMs - now, 0);
  }

  forget(uuid: string): void {
    this.#firstSeen.delete(uuid);
  }
}
