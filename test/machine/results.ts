import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** How long a writer waited in an outage, as a scenario measured it. */
export interface Pause {
  /** `ext4, the kernel gives up` */
  readonly what: string;
  /** From the loss of the target to its return. */
  readonly outageMs: number;
  /** From the return of the target to the first record that was flushed. */
  readonly afterMs: number;
}

const marks = { tap: "TAP ", pause: "PAUSE " } as const;

/** What scenarios said of themselves, line by line, in the stream of all that the machine printed. */
export class Results {
  readonly #folder: string;
  readonly #pauses: (Pause & { readonly kernel: string })[] = [];
  #passed = 0;
  #failed = 0;

  /** @param folder - made anew; gets one `.tap` for each file of scenarios, and `pauses.md`. */
  constructor(folder: string) {
    this.#folder = folder;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
  }

  /** @returns the lines that are meant for people. */
  take(kernel: string, name: string, lines: readonly string[]): readonly string[] {
    const tap = after(marks.tap, lines);
    if (tap.length > 0)
      writeFileSync(join(this.#folder, `${kernel}-${name}.tap`), `${tap.join("\n")}\n`);
    this.#passed += count(tap, /^# pass (\d+)/);
    this.#failed += count(tap, /^# (?:fail|cancelled) (\d+)/);
    this.#pauses.push(
      ...after(marks.pause, lines)
        .flatMap(pauseOf)
        .map((pause) => ({ ...pause, kernel })),
    );
    writeFileSync(join(this.#folder, "pauses.md"), this.pauses());
    return lines.filter((line) => !Object.values(marks).some((mark) => line.startsWith(mark)));
  }

  /** `12 passed, 0 failed`: single scenarios, not files of them. */
  counts(): string {
    return `${this.#passed} passed, ${this.#failed} failed`;
  }

  /** A Markdown table, longest pause first. */
  pauses(): string {
    const rows = this.#pauses
      .toSorted((one, other) => other.afterMs - one.afterMs)
      .map(({ what, kernel, outageMs, afterMs }) => [
        what,
        kernel,
        seconds(outageMs),
        seconds(afterMs),
      ]);
    const head = ["outage", "kernel", "target away", "pause after its return"];
    return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |\n`).join("");
  }
}

function after(mark: string, lines: readonly string[]): string[] {
  return lines.filter((line) => line.startsWith(mark)).map((line) => line.slice(mark.length));
}

/** The kernel writes to the same line: what follows is not the scenario's, and one that it has torn apart is left out. */
function pauseOf(text: string): Pause[] {
  const [json] = /^\{[^{}]*\}/.exec(text) ?? [];
  return json === undefined ? [] : [JSON.parse(json)];
}

function count(lines: readonly string[], pattern: RegExp): number {
  return lines.reduce((sum, line) => sum + Number(pattern.exec(line)?.[1] ?? 0), 0);
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(1)} s`;
}
