/** One measured figure beside what it should be. */
export interface Figure {
  readonly what: string;
  readonly measured: number;
  readonly unit: "round trips" | "ms" | "s" | "MiB" | "calls/s" | "% of a core" | "×";
  /** Not to be exceeded; left out, as the other one, where the figure is only told. */
  readonly atMost?: number;
  readonly atLeast?: number;
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? Number.NaN;
}

/** Milliseconds that `act` took. */
export async function timed(act: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await act();
  return performance.now() - started;
}

/** A Markdown table, as docs/performance.md keeps it. */
export function formatFigures(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.what,
    `${round(figure.measured)} ${figure.unit}`,
    limitOf(figure),
    verdictOf(figure),
  ]);
  const all = [["figure", "measured", "limit", ""], ...rows];
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(...all.map((row) => row[column]?.length ?? 0), 3),
  );
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  const [head = [], ...body] = all;
  return [line(head), rule, ...body.map(line)].join("\n");
}

function limitOf({ atMost, atLeast, unit }: Figure): string {
  if (atMost !== undefined) return `at most ${atMost} ${unit}`;
  return atLeast === undefined ? "" : `at least ${atLeast} ${unit}`;
}

function verdictOf({ measured, atMost, atLeast }: Figure): string {
  if (atMost === undefined && atLeast === undefined) return "";
  return measured <= (atMost ?? measured) && measured >= (atLeast ?? measured) ? "kept" : "MISSED";
}

function round(value: number): string {
  return Number.isInteger(value)
    ? String(value)
    : value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
}
