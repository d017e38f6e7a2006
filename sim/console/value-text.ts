import { clockText } from "./duration.ts";
import { Duration, Id, type Value } from "./value.ts";

/**
 * What `:put` shows: lists joined by `;`, maps as `key=value` joined by `;`, nothing escaped, so that
 * `print as-value` of several items is one flat line.
 */
export function textOf(value: Value): string {
  if (value === undefined) return "";
  if (typeof value === "string") return value;
  if (value instanceof Id) return value.text;
  if (value instanceof Duration) return clockText(value);
  if (isMap(value)) return [...value].map(([key, item]) => `${key}=${textOf(item)}`).join(";");
  if (isList(value)) return value.map(textOf).join(";");
  return String(value);
}

/** What `:typeof` answers. */
export function typeName(value: Value): string {
  if (value === undefined) return "nothing";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number") return "num";
  if (typeof value === "string") return "str";
  if (value instanceof Id) return "id";
  return value instanceof Duration ? "time" : "array";
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

export function isMap(value: Value): value is ReadonlyMap<string, Value> {
  return value instanceof Map;
}

/** RouterOS keeps maps ordered by key, and shows them so. */
export function sortedMap(entries: Iterable<readonly [string, Value]>): ReadonlyMap<string, Value> {
  return new Map([...entries].sort(([a], [b]) => (a < b ? -1 : Number(a > b))));
}
