import type { Flag, Row } from "#sim/console/menu.ts";
import type { Listing } from "./listing.ts";

/** The flags that a listing shows: only those that some item has, grouped into columns. */
export class FlagColumns {
  readonly #groups: readonly (readonly Flag[])[];

  constructor({ menu, items }: Listing) {
    const shown = menu.flags.filter((flag) => items.some(({ row }) => isSet(row, flag)));
    this.#groups = Object.values(Object.groupBy(shown, ({ group }) => group)).map(
      (flags) => flags ?? [],
    );
  }

  /** One character per group, a blank where none of its flags is set. */
  of(row: Row): string {
    const letters = this.#groups.map((group) => group.find((flag) => isSet(row, flag))?.letter);
    return letters.map((letter) => letter ?? " ").join("");
  }

  get width(): number {
    return this.#groups.length;
  }

  /** The `Flags:` lines; none when no item has any flag. */
  legend(width: number): readonly string[] {
    return legendOf(this.#groups, width);
  }
}

/** The whole legend of a menu, which a `print` without any match still shows. */
export function fullLegend({ menu, width }: Listing): readonly string[] {
  const groups = Object.values(Object.groupBy(menu.flags, ({ group }) => group));
  return legendOf(
    groups.map((flags) => flags ?? []),
    width,
  );
}

/** A group that does not fit begins a new line, without the `;` before it. */
function legendOf(groups: readonly (readonly Flag[])[], width: number): readonly string[] {
  const lines: string[] = [];
  for (const group of groups) {
    const text = group.map(describe).join(", ");
    const line = lines.at(-1);
    if (line !== undefined && line.length + 2 + text.length <= width)
      lines.splice(-1, 1, `${line}; ${text}`);
    else lines.push(`${line === undefined ? "Flags: " : "       "}${text}`);
  }
  return lines;
}

function describe({ letter, property }: Flag): string {
  return `${letter} - ${property.toUpperCase()}`;
}

function isSet(row: Row, { property }: Flag): boolean {
  return row.values.get(property) === true;
}
