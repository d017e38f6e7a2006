const kept = 1000;

/** What the simulator was asked, for tests that count round trips and for operators who are curious. */
export class Statistics {
  /** SSH connections that logged in. */
  connections = 0;
  /** Command lines received. */
  commands = 0;
  readonly #lines: string[] = [];

  /** The last 1,000 command lines, oldest first. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  record(line: string): void {
    this.commands += 1;
    this.#lines.push(line);
    if (this.#lines.length > kept) this.#lines.shift();
  }

  reset(): void {
    this.connections = 0;
    this.commands = 0;
    this.#lines.length = 0;
  }
}
