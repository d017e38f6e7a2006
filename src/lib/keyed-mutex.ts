/** One holder per key, and no queue: CSI wants a second call for the same volume answered at once. */
export class KeyedMutex {
  readonly #held = new Set<string>();

  /** @returns a lock to hold by `using`, or `undefined` while somebody else holds the key. */
  tryAcquire(key: string): Disposable | undefined {
    if (this.#held.has(key)) return undefined;
    this.#held.add(key);
    let mine = true;
    return {
      [Symbol.dispose]: () => {
        if (mine) this.#held.delete(key);
        mine = false;
      },
    };
  }
}
