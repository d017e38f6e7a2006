import { ConsoleError } from "./console-error.ts";
import type { MenuTree } from "./menu.ts";
import { Interpreter } from "./runtime/interpreter.ts";
import { Interrupted, Returned } from "./runtime/runtime.ts";
import { Scope } from "./runtime/scope.ts";
import { parse } from "./syntax/parser.ts";
import type { Block, MenuInvocation } from "./syntax/syntax.ts";
import { Terminal } from "./terminal.ts";

export interface ConsoleOptions {
  /** Columns of the terminal: where `detail` wraps and tables end. */
  readonly width: number;
  /** Awaited before each menu command. A `ConsoleError` from it fails that command; others surface. */
  readonly onCommand?: (command: Pick<MenuInvocation, "path" | "name">) => Promise<void> | void;
  /** Whether `:serialize` makes numbers of numeric strings unless told not to; default `convert`. */
  readonly jsonStrings?: "convert" | "keep";
}

/** What one exec request gave. */
export interface Execution {
  /** What was printed, lines ended by CRLF; a line that failed keeps what it printed before. Not the error. */
  readonly output: string;
  readonly failed: boolean;
  /** `parse`: nothing of the line was executed. `run-time`: the commands before the failure were. */
  readonly stage: "ok" | "parse" | "run-time";
  /** The text that RouterOS prints for the error, without line end. */
  readonly errorText?: string;
}

/** The RouterOS console of one session: takes command lines, as `ssh host "<line>"` sends them. */
export class Console {
  readonly #tree: MenuTree;
  readonly #options: ConsoleOptions;
  readonly #globals = new Scope();

  constructor(tree: MenuTree, options: ConsoleOptions) {
    this.#tree = tree;
    this.#options = options;
  }

  /**
   * Runs one line; a line break ends it, and what follows is dropped.
   * @param line - Text whose bytes count for the columns in error messages; see `bytes.ts` for non-UTF-8.
   * @param signal - Looked at before each command; once aborted the line fails with `interrupted`.
   * @throws whatever a menu threw that is no `ConsoleError`: a bug, not an answer.
   */
  async execute(line: string, signal: AbortSignal): Promise<Execution> {
    const terminal = new Terminal();
    const parsed = this.#parse(line);
    if (parsed instanceof ConsoleError) return failure(terminal, "parse", parsed.message);
    const { width, onCommand, jsonStrings = "convert" } = this.#options;
    const session = { tree: this.#tree, terminal, width, signal, onCommand, jsonStrings };
    try {
      await new Interpreter(session).run(parsed, new Scope(this.#globals));
    } catch (error) {
      if (error instanceof ConsoleError || error instanceof Interrupted)
        return failure(terminal, "run-time", error.message);
      if (!(error instanceof Returned)) throw error;
    }
    return { output: terminal.output, failed: false, stage: "ok" };
  }

  #parse(line: string): Block | ConsoleError {
    try {
      return parse(line.split(/[\r\n]/, 1)[0] ?? "", this.#tree);
    } catch (error) {
      if (error instanceof ConsoleError) return error;
      throw error;
    }
  }
}

function failure(terminal: Terminal, stage: "parse" | "run-time", errorText: string): Execution {
  return { output: terminal.output, failed: true, stage, errorText };
}
