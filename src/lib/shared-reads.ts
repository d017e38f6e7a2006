import { abortable } from "#lib/abortable.ts";
import type { Context } from "#lib/context.ts";

/** One read that somebody waits for. */
interface SharedRead<T> {
  readonly result: Promise<T>;
  readonly abandon: AbortController;
  waiting: number;
}

/**
 * Lets callers that ask for the same thing share one read, as long as it has not been sent: what it will
 * show is then not older than any of their questions. Each caller can leave on its own; the read ends
 * with the last of them.
 */
export class SharedReads<T> {
  readonly #open = new Map<string, SharedRead<T>>();

  /**
   * @param read - Called once for all who share; must call `sent` when the question leaves.
   * @throws what the read throws, or the signal's reason when the caller leaves first.
   */
  async get(
    key: string,
    read: (ctx: Context, sent: () => void) => Promise<T>,
    ctx: Context,
  ): Promise<T> {
    ctx.signal.throwIfAborted();
    const shared = this.#open.get(key) ?? this.#start(key, read, ctx);
    shared.waiting += 1;
    try {
      return await abortable(shared.result, ctx.signal);
    } finally {
      shared.waiting -= 1;
      if (shared.waiting === 0) this.#close(key, shared);
    }
  }

  #start(
    key: string,
    read: (ctx: Context, sent: () => void) => Promise<T>,
    { log }: Context,
  ): SharedRead<T> {
    const abandon = new AbortController();
    const result = read({ log, signal: abandon.signal }, () => this.#open.delete(key));
    const shared = { result, abandon, waiting: 0 };
    this.#open.set(key, shared);
    return shared;
  }

  /** Nobody waits any more: a read still under way is given up, and nobody may join it. */
  #close(key: string, shared: SharedRead<T>): void {
    if (this.#open.get(key) === shared) this.#open.delete(key);
    shared.abandon.abort(new Error("nobody waits for this read any more"));
  }
}
