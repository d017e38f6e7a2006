/**
 * Space that calls under way are about to take, by appliance. Calls at the same time decide on the same survey:
 * without this, a hundred of them would each be given the last gigabyte. It knows the calls of this process only;
 * the reserve of the pool is there for what others take meanwhile.
 */
export class Claims {
  readonly #bytes = new Map<string, number>();

  /** Bytes claimed on an appliance now. */
  on(appliance: string): number {
    return this.#bytes.get(appliance) ?? 0;
  }

  /** @returns the claim, to hold by `using` until the space shows in the next survey. */
  take(appliance: string, bytes: number): Disposable {
    this.#bytes.set(appliance, this.on(appliance) + bytes);
    return {
      [Symbol.dispose]: () => void this.#bytes.set(appliance, this.on(appliance) - bytes),
    };
  }
}
