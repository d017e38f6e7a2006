import type { DriverError } from "#domain/errors.ts";

/** How the next call of a method fails: without effect, or after it; some also half-way. */
export interface Fault<Method extends string> {
  readonly method: Method;
  readonly when: "before" | "midway" | "after";
  readonly error: DriverError;
}

/** The calls of a fake: counted, failing as planned, and overtaken by others as planned. */
export class CallPlan<Method extends string> {
  /** The calls that arrived, for budgets of round trips. */
  readonly calls: Method[] = [];
  readonly #faults: Fault<Method>[] = [];
  readonly #overtakers: { method: Method; act: () => Promise<unknown> }[] = [];

  failNext(fault: Fault<Method>): void {
    this.#faults.push(fault);
  }

  /** Lets somebody else act right before the next call of `method` takes effect. */
  overtakeNext(method: Method, act: () => Promise<unknown>): void {
    this.#overtakers.push({ method, act });
  }

  /** Takes a turn of the event loop, so that calls can overtake each other, and then effect. */
  async run<T>(method: Method, effect: () => T | Promise<T>): Promise<T> {
    this.calls.push(method);
    await turn();
    this.failIf(method, "before");
    const overtaker = take(this.#overtakers, (next) => next.method === method);
    await overtaker?.act();
    const result = await effect();
    this.failIf(method, "after");
    return result;
  }

  failIf(method: Method, when: Fault<Method>["when"]): void {
    const fault = take(this.#faults, (next) => next.method === method && next.when === when);
    if (fault) throw fault.error;
  }
}

export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function take<T>(list: T[], wanted: (item: T) => boolean): T | undefined {
  const index = list.findIndex(wanted);
  return index < 0 ? undefined : list.splice(index, 1)[0];
}
