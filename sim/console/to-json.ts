import { Duration, Id, type Value } from "./value.ts";
import { isList, isMap, textOf } from "./value-text.ts";

export interface JsonOptions {
  /** RouterOS' default: a string that looks like a number becomes one, with six decimals. */
  readonly convertStrings: boolean;
}

/** JSON on one line, as `:serialize to=json` writes it. Observed on RouterOS 7.23 (CHR). */
export function toJson(value: Value, options: JsonOptions): string {
  if (value === undefined) return "null";
  if (typeof value === "string") return stringToJson(value, options);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (isList(value)) return `[${value.map((item) => toJson(item, options)).join(",")}]`;
  if (isMap(value)) return mapToJson(value, options);
  return value instanceof Id || value instanceof Duration ? JSON.stringify(textOf(value)) : "null";
}

function stringToJson(text: string, { convertStrings }: JsonOptions): string {
  const numeric = convertStrings && /^[+-]?(?:\d+\.?\d*|\.\d+)$/.test(text);
  return numeric ? Number(text).toFixed(6) : JSON.stringify(text);
}

function mapToJson(map: ReadonlyMap<string, Value>, options: JsonOptions): string {
  const parts: string[] = [];
  for (const [key, value] of map) parts.push(`${JSON.stringify(key)}:${toJson(value, options)}`);
  return `{${parts.join(",")}}`;
}
