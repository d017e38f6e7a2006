import { textOf } from "#sim/console/value-text.ts";
import { FlagColumns } from "./flags.ts";
import { formatPlain } from "./format-value.ts";
import { chosenProperties, type Listing, readProperty, withId } from "./listing.ts";

/** `print terse`: a line per item, nothing quoted, so that values with blanks are ambiguous. */
export function printTerse(listing: Listing): readonly string[] {
  const { menu, items } = listing;
  const all = menu.properties.filter(({ flagOnly }) => flagOnly !== true);
  const properties = withId(listing, chosenProperties(listing) ?? all);
  const flags = new FlagColumns(listing);
  const numberWidth = Math.max(2, String(listing.total - 1).length);
  return items.map(({ row, number }) => {
    const lead = [String(number).padStart(numberWidth), flags.of(row)].join(" ").trimEnd();
    const parts = properties.flatMap((property) => {
      const value = readProperty(row, property.name);
      if (value === undefined) return [];
      const text = typeof value === "number" ? textOf(value) : formatPlain(property, value);
      return [`${property.name}=${text}`];
    });
    return [lead, ...parts, ""].join(" ");
  });
}
