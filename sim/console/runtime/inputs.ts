import { ConsoleError } from "#sim/console/console-error.ts";
import type { Expression } from "#sim/console/syntax/syntax.ts";
import type { Value } from "#sim/console/value.ts";
import { textOf, typeName } from "#sim/console/value-text.ts";
import type { Runtime } from "./runtime.ts";
import { Scope } from "./scope.ts";

/** The inputs of one built-in command, evaluated when asked for. */
export class Inputs {
  readonly runtime: Runtime;
  readonly scope: Scope;
  readonly #written: ReadonlyMap<string, Expression>;

  constructor(runtime: Runtime, scope: Scope, written: ReadonlyMap<string, Expression>) {
    this.runtime = runtime;
    this.scope = scope;
    this.#written = written;
  }

  has(slot: string): boolean {
    return this.#written.has(slot);
  }

  /** Nothing, where the slot is empty. */
  async value(slot: string): Promise<Value> {
    const expression = this.#written.get(slot);
    return expression === undefined ? undefined : this.runtime.evaluate(expression, this.scope);
  }

  async text(slot: string): Promise<string> {
    return textOf(await this.value(slot));
  }

  /** @throws {ConsoleError} when the slot holds no whole number. */
  async number(slot: string, absent: number): Promise<number> {
    if (!this.has(slot)) return absent;
    const value = await this.value(slot);
    const number = typeof value === "string" ? Number(value) : value;
    if (typeof number === "number" && Number.isInteger(number)) return number;
    throw new ConsoleError("run-time", `invalid value for argument ${slot}: ${typeName(value)}`);
  }

  /** The variable name in a slot that takes names. */
  name(slot: string): string {
    const expression = this.#written.get(slot);
    return expression?.kind === "variable" ? expression.name : "";
  }

  /** Runs the commands of a slot in a scope of their own, with `variables` in it. */
  async run(slot: string, variables: Readonly<Record<string, Value>> = {}): Promise<Value> {
    const expression = this.#written.get(slot);
    if (expression?.kind !== "code") return undefined;
    const scope = new Scope(this.scope);
    for (const [name, value] of Object.entries(variables)) scope.declare(name, value);
    return this.runtime.run(expression.body, scope);
  }
}
