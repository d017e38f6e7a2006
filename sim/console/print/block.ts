import { padRight } from "#sim/console/terminal.ts";
import { formatPlain } from "./format-value.ts";
import { humanProperties, type Listing, readProperty } from "./listing.ts";

/** `print` of a singleton. */
export function printBlock(listing: Listing): readonly string[] {
  const [item] = listing.items;
  if (item === undefined) return [];
  const pairs = humanProperties(listing).flatMap((property) => {
    const value = readProperty(item.row, property.name);
    return value === undefined ? [] : [[property.name, formatPlain(property, value)] as const];
  });
  return blockLines(pairs);
}

/** `  name: value`, names right-aligned two columns in, values left-aligned as singletons have them. */
export function blockLines(pairs: readonly (readonly [string, string])[]): readonly string[] {
  const width = nameWidth(pairs);
  return padRight(pairs.map(([name, value]) => `${name.padStart(width)}: ${value}`));
}

/** The same with right-aligned values, as `monitor-traffic … once` has them. */
export function monitorLines(pairs: readonly (readonly [string, string])[]): readonly string[] {
  const width = nameWidth(pairs);
  const valueWidth = Math.max(0, ...pairs.map(([, value]) => value.length));
  return pairs.map(([name, value]) => `${name.padStart(width)}: ${value.padStart(valueWidth)}`);
}

function nameWidth(pairs: readonly (readonly [string, string])[]): number {
  return Math.max(0, ...pairs.map(([name]) => name.length)) + 2;
}
