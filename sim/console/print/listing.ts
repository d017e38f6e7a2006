import type { Menu, Property, Row } from "#sim/console/menu.ts";
import { Id, type Value } from "#sim/console/value.ts";

/** The items that one `print` shows, and how. */
export interface Listing {
  readonly menu: Menu;
  readonly items: readonly Item[];
  /** Items of the whole menu: the width of the number column depends on it. */
  readonly total: number;
  /** Columns of the terminal. */
  readonly width: number;
  /** `proplist=`: which properties, in this order. */
  readonly names: readonly string[] | undefined;
  readonly showIds: boolean;
}

export interface Item {
  readonly row: Row;
  /** Position in the whole list, also under `where`. */
  readonly number: number;
}

const idProperty: Property = { name: ".id", kind: "word", brief: true };

/** Properties that `proplist` asks for, flags included, or `undefined` where it was not given. */
export function chosenProperties({ menu, names }: Listing): readonly Property[] | undefined {
  if (names === undefined) return undefined;
  const byName = new Map(menu.properties.map((property) => [property.name, property]));
  return names.map(
    (name) =>
      (name === ".id" ? idProperty : byName.get(name)) ?? { name, kind: "boolean", brief: false },
  );
}

/** Puts the id in front where `show-ids` asks for it. */
export function withId(listing: Listing, properties: readonly Property[]): readonly Property[] {
  return listing.showIds ? [idProperty, ...properties] : properties;
}

/** Everything that the human modes list of an item: the comment has a line of its own. */
export function humanProperties(listing: Listing): readonly Property[] {
  const all = listing.menu.properties.filter(
    ({ name, flagOnly }) => name !== "comment" && flagOnly !== true,
  );
  return withId(listing, chosenProperties(listing) ?? all);
}

export function readProperty(row: Row, name: string): Value {
  return name === ".id" ? new Id(row.id) : row.values.get(name);
}

/** The comment that stands above an item, unless `proplist` left it out or made it a property. */
export function commentOf({ names }: Listing, row: Row): string | undefined {
  const comment = row.values.get("comment");
  return names === undefined && typeof comment === "string" && comment !== ""
    ? `;;; ${comment}`
    : undefined;
}
