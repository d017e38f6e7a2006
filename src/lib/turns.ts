/** Lets a few have a place at a time, and others wait in order of arrival, as long as their callers do. */
export class Turns {
  readonly #waiting = new Set<() => void>();
  #free: number;

  /** @param places - How many may have one at once. */
  constructor(places: number) {
    this.#free = places;
  }

  /** Callers that have no place yet. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * @returns a place to hold by `using`.
   * @throws the signal's reason when it aborts first.
   */
  async take(signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free -= 1;
    else await this.#wait(signal);
    return { [Symbol.dispose]: () => this.#giveBack() };
  }

  async #wait(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = () => {
      this.#waiting.delete(resolve);
      reject(signal.reason);
    };
    this.#waiting.add(resolve);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** To who waits for longest, if anybody does. */
  #giveBack(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#free += 1;
    else this.#waiting.delete(next);
    next?.();
  }
}
