import type { MenuTree } from "#sim/console/menu.ts";
import type { Block, Expression } from "#sim/console/syntax/syntax.ts";
import type { Terminal } from "#sim/console/terminal.ts";
import type { Value } from "#sim/console/value.ts";
import type { Scope } from "./scope.ts";

/** What commands need while a line runs; `interpreter.ts` implements it. */
export interface Runtime {
  readonly tree: MenuTree;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  /** Columns of the terminal: where `detail` wraps and tables end. */
  readonly width: number;
  /** Whether `:serialize` makes numbers of numeric strings unless told not to. */
  readonly jsonStrings: "convert" | "keep";
  evaluate(expression: Expression, scope: Scope): Promise<Value>;
  /** Runs commands as they stand in `scope`. Returns the value of the last one. */
  run(block: Block, scope: Scope): Promise<Value>;
  /**
   * To be passed before each command and each turn of a loop.
   * @throws {Interrupted} once the session is gone.
   */
  checkpoint(): Promise<void>;
}

/** The session went away. No `:onerror` catches it. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** `:return`: ends the line, or the substitution it stands in. */
export class Returned extends Error {
  override readonly name = "Returned";
  readonly value: Value;
  constructor(value: Value) {
    super("returned");
    this.value = value;
  }
}
