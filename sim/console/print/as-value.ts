import type { Property, Row } from "#sim/console/menu.ts";
import type { Value } from "#sim/console/value.ts";
import { chosenProperties, type Listing, readProperty } from "./listing.ts";

/**
 * The value of `print as-value`: a map for a singleton, else a list of maps. Without `detail` only the
 * brief properties are in it. Absent properties are left out, sizes are plain bytes.
 */
export function asValue(listing: Listing, detail: boolean): Value {
  const { menu, items } = listing;
  const all = menu.properties.filter(({ brief }) => detail || brief || menu.singleton);
  const chosen = chosenProperties(listing);
  const names = namesOf(chosen ?? all, chosen === undefined && !menu.singleton);
  const maps = items.map(({ row }) => mapOf(row, names));
  return menu.singleton ? (maps[0] ?? new Map()) : maps;
}

/** Sorted once for all items: RouterOS orders maps by key. */
function namesOf(properties: readonly Property[], withId: boolean): readonly string[] {
  const names = new Set(properties.map(({ name }) => name));
  if (withId) names.add(".id");
  return [...names].sort();
}

function mapOf(row: Row, names: readonly string[]): ReadonlyMap<string, Value> {
  const map = new Map<string, Value>();
  for (const name of names) {
    const value = readProperty(row, name);
    if (value !== undefined) map.set(name, value);
  }
  return map;
}
