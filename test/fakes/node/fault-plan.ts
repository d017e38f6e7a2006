import { DriverError } from "#domain/errors.ts";

/** `fail`: this one call throws. `die`: the process ends here, and nothing it does later reaches the world. */
export interface Fault {
  /** Index of the call, counted over all ports. */
  readonly at: number;
  readonly what: "fail" | "die";
  /** Whether the call has had its effect. */
  readonly when: "before" | "after";
}

/** Stands between the use cases and the world, and strikes once. */
export class FaultPlan {
  #fault: Fault | undefined;
  #calls = 0;
  #isDead = false;

  /** Starts to count anew; without a fault nothing happens. */
  arm(fault?: Fault): void {
    this.#fault = fault;
    this.#calls = 0;
    this.#isDead = false;
  }

  /** Calls since `arm`. */
  get calls(): number {
    return this.#calls;
  }

  /** The same port, with the plan in front of every method. */
  watch<Port extends object>(port: Port): Port {
    return new Proxy(port, {
      get: (target, name) => {
        const member = Reflect.get(target, name, target);
        if (typeof member !== "function") return member;
        return (...args: readonly unknown[]) =>
          this.#run(() => Reflect.apply(member, target, args), String(name));
      },
    });
  }

  async #run(call: () => unknown, name: string): Promise<unknown> {
    const index = this.#calls++;
    this.#strike(index, "before", name);
    const result = await call();
    this.#strike(index, "after", name);
    return result;
  }

  #strike(index: number, when: Fault["when"], name: string): void {
    const isHit = this.#fault?.at === index && this.#fault.when === when;
    if (isHit && this.#fault?.what === "die") this.#isDead = true;
    if (this.#isDead) throw new Error(`The process died ${when} ${name}`);
    if (isHit) throw new DriverError("unavailable", `Planned failure ${when} ${name}`);
  }
}
