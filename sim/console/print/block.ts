import { padRight } from "#sim/console/terminal.ts";
import { formatPlain } from "./format-value.ts";
import { humanProperties, type Listing, readProperty } from "./listing.ts";

/** `print` of a singleton: `  name: value`, names right-aligned two columns in, values left-aligned. */
export function printBlock(listing: Listing): readonly string[] {
  const [item] = listing.items;
  if (item === undefined) return [];
  const pairs = humanProperties(listing).flatMap((property) => {
    const value = readProperty(item.row, property.name);
    return value === undefined ? [] : [[property.name, formatPlain(property, value)] as const];
  });
  const width = Math.max(0, ...pairs.map(([name]) => name.length)) + 2;
  return padRight(pairs.map(([name, value]) => `${name.padStart(width)}: ${value}`));
}
