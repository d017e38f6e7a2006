import { toBytes } from "./bytes.ts";

/** The screen of an exec session: CRLF line ends, no colours, no paging. */
export class Terminal {
  readonly #chunks: string[] = [];

  /** One line as `:put` shows it, its own line breaks made CRLF. */
  line(text: string): void {
    this.#chunks.push(text.replaceAll(/\r?\n/g, "\r\n"), "\r\n");
  }

  lines(texts: readonly string[]): void {
    for (const text of texts) this.line(text);
  }

  /** The result of a `print`: its lines, and the blank line that RouterOS ends it with. */
  page(texts: readonly string[]): void {
    this.lines(texts);
    this.line("");
  }

  get output(): string {
    return this.#chunks.join("");
  }
}

/** Pads lines on the right to the longest, as RouterOS pads its blocks. */
export function padRight(lines: readonly string[]): string[] {
  const width = Math.max(0, ...lines.map(displayWidth));
  return lines.map((line) => line + " ".repeat(width - displayWidth(line)));
}

/** Columns are counted in bytes here, like everything on the console. */
export function displayWidth(text: string): number {
  return toBytes(text).length;
}
