import { SerialQueue } from "#sim/appliance/serial-queue.ts";
import type { Switches } from "#sim/appliance/switches.ts";

/** Decides by the switch `second-channel` what becomes of channels beside the first of a connection. */
export class SessionGate {
  readonly #switches: Switches;
  readonly #queue = new SerialQueue();
  #open = 0;

  constructor(switches: Switches) {
    this.#switches = switches;
  }

  /** Whether one more channel may be opened. */
  admits(): boolean {
    return this.#open === 0 || this.#switches.get("second-channel") !== "refuse";
  }

  opened(): void {
    this.#open += 1;
  }

  closed(): void {
    this.#open -= 1;
  }

  /** Runs a channel's command now, or when those of the channels before it are over. */
  run(task: () => Promise<void>): Promise<void> {
    if (this.#switches.get("second-channel") === "allow") return task();
    return this.#queue.run(task);
  }
}
