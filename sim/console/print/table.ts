import type { Property } from "#sim/console/menu.ts";
import { displayWidth } from "#sim/console/terminal.ts";
import type { Value } from "#sim/console/value.ts";
import { isList } from "#sim/console/value-text.ts";
import { FlagColumns, fullLegend } from "./flags.ts";
import { formatPlain } from "./format-value.ts";
import { chosenProperties, commentOf, type Listing, readProperty, withId } from "./listing.ts";

interface Column {
  readonly title: string;
  readonly alignRight: boolean;
  readonly width: number;
  /** Per item the lines of its cell; lists have several. */
  readonly cells: readonly (readonly string[])[];
}

/** The plain `print`: legend, column titles, one row per item, as many columns as fit the width. */
export function printTable(listing: Listing): readonly string[] {
  const { items, width } = listing;
  if (items.length === 0) return fullLegend(listing);
  const flags = new FlagColumns(listing);
  const numberWidth = String(listing.total - 1).length;
  const lead = numberWidth + (flags.width === 0 ? 1 : flags.width + 2);
  const columns = fitting(columnsOf(listing), width - lead);
  const titles = columns.map((column) => pad(column, column.title)).join("  ");
  return [
    ...flags.legend(width),
    ...wrapTitles(columns, width),
    "#".padStart(numberWidth).padEnd(lead) + titles,
    ...items.flatMap(({ row, number }, index) => {
      const start = `${String(number).padStart(numberWidth)} ${flags.of(row)}`.padEnd(lead);
      const comment = commentOf(listing, row);
      return [...(comment === undefined ? [] : [comment]), ...rowLines(columns, index, start)];
    }),
  ];
}

/** Columns in which no item has a value are left out. */
function columnsOf(listing: Listing): readonly Column[] {
  const { menu, items } = listing;
  const byName = new Map(menu.properties.map((property) => [property.name, property]));
  const brief = menu.columns
    ? menu.columns.flatMap((name) => byName.get(name) ?? [])
    : menu.properties.filter((property) => property.brief && property.flagOnly !== true);
  const visible = brief.filter(({ name }) => name !== "comment");
  const properties = withId(listing, chosenProperties(listing) ?? visible);
  return properties
    .map((property) => {
      const cells = items.map(({ row }) => cellLines(property, readProperty(row, property.name)));
      const title = property.name.toUpperCase();
      const width = Math.max(title.length, ...cells.flat().map(displayWidth));
      return { title, alignRight: isNumeric(property), width, cells };
    })
    .filter(({ cells }) => cells.flat().some((line) => line !== ""));
}

function cellLines(property: Property, value: Value): readonly string[] {
  return isList(value)
    ? value.map((item) => formatPlain(property, item))
    : [formatPlain(property, value)];
}

function isNumeric({ kind }: Property): boolean {
  return kind === "number" || kind === "file-size" || kind === "percent";
}

/** At least one column, then as many as the terminal has room for. */
function fitting(columns: readonly Column[], width: number): readonly Column[] {
  let used = 0;
  const end = columns.findIndex((column, index) => {
    used += column.width + (index === 0 ? 0 : 2);
    return index > 0 && used > width;
  });
  return end === -1 ? columns : columns.slice(0, end);
}

function wrapTitles(columns: readonly Column[], width: number): readonly string[] {
  const lines: string[] = [];
  for (const [index, { title }] of columns.entries()) {
    const text = `${title}${index === columns.length - 1 ? "" : ","}`;
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + text.length <= width)
      lines.splice(-1, 1, `${line} ${text}`);
    else lines.push(`${line === undefined ? "Columns: " : "         "}${text}`);
  }
  return lines;
}

function rowLines(columns: readonly Column[], index: number, start: string): readonly string[] {
  const height = Math.max(1, ...columns.map(({ cells }) => cells[index]?.length ?? 0));
  return Array.from({ length: height }, (_, line) => {
    const cells = columns.map((column) => pad(column, column.cells[index]?.[line] ?? ""));
    return (line === 0 ? start : " ".repeat(start.length)) + cells.join("  ");
  });
}

function pad({ width, alignRight }: Column, text: string): string {
  const blanks = " ".repeat(Math.max(0, width - displayWidth(text)));
  return alignRight ? blanks + text : text + blanks;
}
