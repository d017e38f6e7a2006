import { DriverError } from "#domain/errors.ts";
import type { Context } from "#lib/context.ts";
import { Turns } from "#lib/turns.ts";

export interface QueueOptions {
  /** The appliance's name; for messages. */
  readonly name: string;
  /** Commands under way at once. RouterOS has stalled with more than one channel per connection. */
  readonly channels: number;
  /** Commands that may wait for their turn. */
  readonly length: number;
}

/** Lets a few commands run at a time and others wait in order of arrival, as long as their callers do. */
export class CommandQueue {
  readonly #options: QueueOptions;
  readonly #turns: Turns;

  constructor(options: QueueOptions) {
    this.#options = options;
    this.#turns = new Turns(options.channels);
  }

  /**
   * Runs `task` when its turn comes.
   * @throws {DriverError} `unavailable` when the queue is full, or when `ctx.signal` ends the wait:
   * the task was not started then.
   */
  async run<T>(task: () => Promise<T>, ctx: Context): Promise<T> {
    using _turn = await this.#turn(ctx.signal);
    return await task();
  }

  async #turn(signal: AbortSignal): Promise<Disposable> {
    if (signal.aborted) throw this.#refusal("the call has ended");
    const { length } = this.#options;
    if (this.#turns.waiting >= length)
      throw this.#refusal(`its queue of ${length} commands is full`);
    try {
      return await this.#turns.take(signal);
    } catch {
      throw this.#refusal("the call ended while it waited for its turn");
    }
  }

  #refusal(state: string): DriverError {
    return new DriverError(
      "unavailable",
      `Cannot run a command on appliance "${this.#options.name}": ${state}`,
    );
  }
}
