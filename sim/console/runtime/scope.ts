import type { Value } from "#sim/console/value.ts";

/** The variables of a block; the outermost scope holds the globals of the session. */
export class Scope {
  readonly #values = new Map<string, Value>();
  readonly #outer: Scope | undefined;

  constructor(outer?: Scope) {
    this.#outer = outer;
  }

  /** Makes a variable of this block, shadowing outer ones of the same name. */
  declare(name: string, value: Value): void {
    this.#values.set(name, value);
  }

  declareGlobal(name: string, value: Value): void {
    if (this.#outer === undefined) this.declare(name, value);
    else this.#outer.declareGlobal(name, value);
  }

  /** Changes the nearest variable of that name. Returns whether there is one. */
  assign(name: string, value: Value): boolean {
    if (!this.#values.has(name)) return this.#outer?.assign(name, value) ?? false;
    this.#values.set(name, value);
    return true;
  }

  /** An unknown variable is nothing, not an error. */
  lookup(name: string): Value {
    return this.#values.has(name) ? this.#values.get(name) : this.#outer?.lookup(name);
  }

  knows(name: string): boolean {
    return this.#values.has(name) || (this.#outer?.knows(name) ?? false);
  }
}
