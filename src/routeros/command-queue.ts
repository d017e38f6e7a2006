import { DriverError } from "#domain/errors.ts";
import type { Context } from "#lib/context.ts";

export interface QueueOptions {
  /** The appliance's name; for messages. */
  readonly name: string;
  /** Commands under way at once. RouterOS has stalled with more than one channel per connection. */
  readonly channels: number;
  /** Commands that may wait for their turn. */
  readonly length: number;
}

interface Entry {
  readonly start: () => void;
}

/** Lets a few commands run at a time and others wait in order of arrival, as long as their callers do. */
export class CommandQueue {
  readonly #options: QueueOptions;
  readonly #waiting = new Set<Entry>();
  #running = 0;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  /**
   * Runs `task` when its turn comes.
   * @throws {DriverError} `unavailable` when the queue is full, or when `ctx.signal` ends the wait:
   * the task was not started then.
   */
  async run<T>(task: () => Promise<T>, ctx: Context): Promise<T> {
    await this.#turn(ctx.signal);
    try {
      return await task();
    } finally {
      this.#running -= 1;
      this.#startNext();
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw this.#refusal("the call has ended");
    if (this.#running < this.#options.channels) {
      this.#running += 1;
      return;
    }
    const { length } = this.#options;
    if (this.#waiting.size >= length)
      throw this.#refusal(`its queue of ${length} commands is full`);
    await this.#wait(signal);
  }

  async #wait(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const entry = { start: resolve };
    const onAbort = () => {
      this.#waiting.delete(entry);
      reject(this.#refusal("the call ended while it waited for its turn"));
    };
    this.#waiting.add(entry);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  #startNext(): void {
    const [next] = this.#waiting;
    if (next === undefined) return;
    this.#waiting.delete(next);
    this.#running += 1;
    next.start();
  }

  #refusal(state: string): DriverError {
    return new DriverError(
      "unavailable",
      `Cannot run a command on appliance "${this.#options.name}": ${state}`,
    );
  }
}
