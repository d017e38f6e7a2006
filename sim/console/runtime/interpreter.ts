import { setImmediate as nextTurn } from "node:timers/promises";
import { typedWord } from "#sim/console/literals.ts";
import type { MenuTree } from "#sim/console/menu.ts";
import type {
  ArrayElement,
  Block,
  BuiltInCommand,
  Command,
  Expression,
  MenuInvocation,
} from "#sim/console/syntax/syntax.ts";
import type { Terminal } from "#sim/console/terminal.ts";
import type { Value } from "#sim/console/value.ts";
import { sortedMap, textOf } from "#sim/console/value-text.ts";
import type { BuiltIn } from "./built-in.ts";
import { controlFlow } from "./control-flow.ts";
import { Inputs } from "./inputs.ts";
import { jsonCommands } from "./json-commands.ts";
import { runMenuCommand } from "./menu-command.ts";
import { boolean, infix, prefix } from "./operators.ts";
import { Interrupted, Returned, type Runtime } from "./runtime.ts";
import { Scope } from "./scope.ts";
import { valueCommands } from "./value-commands.ts";

const builtIns: Readonly<Record<string, BuiltIn>> = {
  ...controlFlow,
  ...valueCommands,
  ...jsonCommands,
};

/** Commands between two yields to the event loop, so that an endless script can be interrupted. */
const turnLength = 256;

export interface Session {
  readonly tree: MenuTree;
  readonly terminal: Terminal;
  readonly width: number;
  readonly signal: AbortSignal;
  /** Awaited before each menu command; what it throws fails the command. */
  readonly onCommand: ((command: MenuInvocation) => Promise<void> | void) | undefined;
  readonly jsonStrings: Runtime["jsonStrings"];
}

/** Runs parsed commands one after another. */
export class Interpreter implements Runtime {
  readonly tree: MenuTree;
  readonly terminal: Terminal;
  readonly width: number;
  readonly signal: AbortSignal;
  readonly jsonStrings: Runtime["jsonStrings"];
  readonly #onCommand: Session["onCommand"];
  #steps = 0;

  constructor({ tree, terminal, width, signal, onCommand, jsonStrings }: Session) {
    this.tree = tree;
    this.terminal = terminal;
    this.width = width;
    this.signal = signal;
    this.#onCommand = onCommand;
    this.jsonStrings = jsonStrings;
  }

  async run({ commands }: Block, scope: Scope): Promise<Value> {
    let last: Value;
    for (const command of commands) {
      await this.checkpoint();
      last = await this.#command(command, scope, true);
    }
    return last;
  }

  async checkpoint(): Promise<void> {
    this.#steps += 1;
    if (this.#steps % turnLength === 0) await nextTurn();
    if (this.signal.aborted) throw new Interrupted("interrupted");
  }

  async evaluate(expression: Expression, scope: Scope): Promise<Value> {
    switch (expression.kind) {
      case "constant":
        return expression.value;
      case "word":
        return typedWord(expression.text);
      case "variable":
        return scope.lookup(expression.name);
      case "template":
        return this.#template(expression.parts, scope);
      case "prefix":
        return prefix(expression.operator, await this.evaluate(expression.operand, scope));
      case "infix":
        return this.#infix(expression, scope);
      case "array":
        return this.#array(expression.elements, scope);
      case "substitution":
        return this.#substitute(expression.body, new Scope(scope));
      default:
        return undefined;
    }
  }

  async #template(parts: readonly (string | Expression)[], scope: Scope): Promise<Value> {
    let text = "";
    for (const part of parts)
      text += typeof part === "string" ? part : textOf(await this.evaluate(part, scope));
    return text;
  }

  async #infix(
    { operator, left, right }: Extract<Expression, { kind: "infix" }>,
    scope: Scope,
  ): Promise<Value> {
    const first = await this.evaluate(left, scope);
    if (operator === "and" && !boolean(first)) return false;
    if (operator === "or" && boolean(first)) return true;
    return infix(operator, first, await this.evaluate(right, scope));
  }

  /** Keyed elements make a map; elements without key then get their position as key. */
  async #array(elements: readonly ArrayElement[], scope: Scope): Promise<Value> {
    const values: Value[] = [];
    const keyed: [string, Value][] = [];
    for (const { key, value } of elements) {
      const item = await this.evaluate(value, scope);
      if (key === undefined) values.push(item);
      else keyed.push([key, item]);
    }
    if (keyed.length === 0) return values;
    return sortedMap([...values.map((item, index) => [String(index), item] as const), ...keyed]);
  }

  /** The value of `[ … ]`: that of its last command, whose output is withheld if it has a value. */
  async #substitute({ commands }: Block, scope: Scope): Promise<Value> {
    let last: Value;
    try {
      for (const [index, command] of commands.entries()) {
        await this.checkpoint();
        last = await this.#command(command, scope, index < commands.length - 1);
      }
      return last;
    } catch (error) {
      if (error instanceof Returned) return error.value;
      throw error;
    }
  }

  async #command(command: Command, scope: Scope, standsAlone: boolean): Promise<Value> {
    if (command.kind === "group") return this.run(command.body, new Scope(scope));
    if (command.kind === "built-in") return this.#builtIn(command, scope);
    await this.#onCommand?.(command);
    this.tree.authorize(command.path, command.name);
    const { value, lines } = await runMenuCommand(command, this, scope);
    const shown = (standsAlone || value === undefined) && !command.words.has("as-value");
    if (shown) this.terminal.lines(lines ?? []);
    return value;
  }

  async #builtIn({ name, inputs }: BuiltInCommand, scope: Scope): Promise<Value> {
    return builtIns[name]?.(new Inputs(this, scope, inputs));
  }
}
