import type { Figure } from "../table.ts";

export const mark = "FIGURE ";

/** For the table that `make bench` prints outside. */
export function tellFigure(figure: Figure): void {
  process.stdout.write(`\n${mark}${JSON.stringify(figure)}\n`);
}
