import { displayWidth, padRight } from "#sim/console/terminal.ts";
import { formatPlain } from "./format-value.ts";
import { humanProperties, type Listing, readProperty } from "./listing.ts";

/** `print value-list`: a line per property, a column per item. */
export function printValueList(listing: Listing): readonly string[] {
  const { items } = listing;
  const properties = humanProperties(listing).filter(({ name }) =>
    items.some(({ row }) => readProperty(row, name) !== undefined),
  );
  const names = properties.map(({ name }) => `${name}:`);
  const nameWidth = Math.max(0, ...names.map(displayWidth)) + 2;
  const columns = items.map(({ row }) =>
    padRight(properties.map((property) => formatPlain(property, readProperty(row, property.name)))),
  );
  return names.map((name, line) => {
    const cells = columns.map((column) => column[line] ?? "");
    return `${name.padStart(nameWidth)} ${cells.join("  ")}`;
  });
}
