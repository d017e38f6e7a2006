import type { Switches } from "#sim/appliance/switches.ts";

/** How long a command line takes before it is executed: latency, jitter, and throttling of bursts. */
export class Pace {
  readonly #switches: Switches;
  #tokens: number | undefined;
  #countedAt = 0;

  constructor(switches: Switches) {
    this.#switches = switches;
  }

  /** Milliseconds to wait for the next line at the time `now`, in milliseconds of any clock. */
  delay(now: number): number {
    const jitter = Math.random() * this.#switches.get("latency-jitter");
    return this.#switches.get("latency") + jitter + this.#throttle(now);
  }

  /** A token bucket: it holds the burst, refills by one per delay, and may be overdrawn. */
  #throttle(now: number): number {
    const burst = this.#switches.get("throttle-burst");
    const interval = this.#switches.get("throttle-delay");
    if (burst === 0) return 0;
    const tokens = Math.min(burst, (this.#tokens ?? burst) + (now - this.#countedAt) / interval);
    this.#tokens = tokens - 1;
    this.#countedAt = now;
    return Math.max(0, -this.#tokens * interval);
  }
}
