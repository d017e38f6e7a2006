import { ConsoleError } from "./console-error.ts";
import type { Value } from "./value.ts";
import { sortedMap } from "./value-text.ts";

/** What `:deserialize from=json` makes of a text. @throws {ConsoleError} for anything but JSON. */
export function fromJson(text: string): Value {
  return toValue(parse(text));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ConsoleError("run-time", "failure: invalid JSON");
  }
}

function toValue(json: unknown): Value {
  if (typeof json === "string" || typeof json === "boolean") return json;
  if (typeof json === "number") return Number.isInteger(json) ? json : String(json);
  if (Array.isArray(json)) return json.map(toValue);
  if (typeof json !== "object" || json === null) return undefined;
  return sortedMap(Object.entries(json).map(([key, item]) => [key, toValue(item)] as const));
}
