import { toBytes } from "#sim/console/bytes.ts";
import { ConsoleError } from "#sim/console/console-error.ts";

/** How deep brackets, braces, parentheses and signs may nest before the line counts as nonsense. */
const deepest = 200;

/** A place in a command line. The text holds one character per byte, for RouterOS counts columns in bytes. */
export class Cursor {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#text = toBytes(source).toString("latin1");
  }

  get at(): number {
    return this.#at;
  }

  /** The next byte as a character, or `""` at the end. */
  peek(): string {
    return this.#text.charAt(this.#at);
  }

  /** Consumes what a sticky pattern matches here. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text)?.[0];
    this.#at += match?.length ?? 0;
    return match;
  }

  skip(token: string): boolean {
    const found = this.#text.startsWith(token, this.#at);
    if (found) this.#at += token.length;
    return found;
  }

  skipBlanks(): void {
    this.take(/[ \t]*/y);
  }

  back(at: number): void {
    this.#at = at;
  }

  /** Runs a nested part of the grammar. @throws {ConsoleError} when the nesting is absurd. */
  nested<T>(parse: () => T): T {
    if (this.#depth >= deepest) this.fail("syntax error");
    this.#depth += 1;
    const result = parse();
    this.#depth -= 1;
    return result;
  }

  /** @throws {ConsoleError} `what (line N column M)`, 1-based, the column counted in bytes. */
  fail(what: string, at = this.#at): never {
    throw new ConsoleError("parse", `${what} ${this.place(at)}`);
  }

  place(at: number): string {
    const before = this.#text.slice(0, at).split("\n");
    return `(line ${before.length} column ${(before.at(-1)?.length ?? 0) + 1})`;
  }
}
