/** Reads the words of a line one after another; what is not as expected is named with its place. */
export class Words {
  readonly #what: string;
  readonly #words: readonly string[];
  #next = 0;

  /** @param what - For messages: "Cannot read <what>". */
  constructor(what: string, line: string) {
    this.#what = what;
    this.#words = line.split(/\s+/).filter((word) => word !== "");
  }

  /** The next word, which must match. @throws {SyntaxError} naming the word and its number. */
  take(name: string, pattern: RegExp): string {
    const word = this.#words[this.#next];
    this.#next += 1;
    if (word !== undefined && pattern.test(word)) return word;
    const found = word === undefined ? "is missing" : `is "${word}"`;
    throw new SyntaxError(`Cannot read ${this.#what}: word ${this.#next}, ${name}, ${found}`);
  }

  number(name: string): number {
    return Number(this.take(name, /^\d{1,15}$/));
  }

  /** A count and as many words. */
  counted(name: string): string[] {
    return this.many(this.number(`number of ${name}`), name);
  }

  many(count: number, name: string): string[] {
    const left = this.#words.length - this.#next;
    return Array.from({ length: Math.min(count, left + 1) }, () => this.take(name, /^\S+$/));
  }

  /** @throws {SyntaxError} naming the first word too many. */
  end(): void {
    const word = this.#words[this.#next];
    if (word === undefined) return;
    throw new SyntaxError(
      `Cannot read ${this.#what}: word ${this.#next + 1}, "${word}", is one too many`,
    );
  }
}
