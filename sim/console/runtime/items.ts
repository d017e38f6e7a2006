import { ConsoleError } from "#sim/console/console-error.ts";
import type { Row } from "#sim/console/menu.ts";
import { Id, type Value } from "#sim/console/value.ts";
import { isList, textOf } from "#sim/console/value-text.ts";

/**
 * Finds the rows that an item reference names: ids, names, numbers of the whole list, comma lists of
 * them, or what `find` returned, where an empty result names nothing and is no error.
 * @param nameProperty - The property that names items of this menu, such as `slot`.
 * @throws {ConsoleError} `no such item`
 */
export function resolveItems(
  reference: Value,
  rows: readonly Row[],
  nameProperty: string | undefined,
): readonly Row[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  const named = (name: string) =>
    rows.find((row) => nameProperty !== undefined && row.values.get(nameProperty) === name);
  const resolve = (text: string) =>
    byId.get(text) ?? named(text) ?? (/^\d+$/.test(text) ? rows[Number(text)] : undefined);
  return referenceTexts(reference).map((text) => resolve(text) ?? noSuchItem());
}

function referenceTexts(reference: Value): readonly string[] {
  if (isList(reference)) return reference.flatMap(referenceTexts);
  if (typeof reference === "string") return reference.split(",");
  if (typeof reference === "number" || reference instanceof Id) return [textOf(reference)];
  return noSuchItem();
}

function noSuchItem(): never {
  throw new ConsoleError("run-time", "no such item");
}
