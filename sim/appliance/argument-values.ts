import { Duration, Id, type Value } from "#sim/console/value.ts";
import { invalidValue } from "./failure.ts";

const binaryUnits: Readonly<Record<string, number>> = {
  "": 1,
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
  P: 2 ** 50,
};

/** @throws {ConsoleError} for a list or an array, which no text argument takes. */
export function textOf(argument: string, value: Value): string {
  if (value === undefined) return "";
  if (value instanceof Id) return value.text;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "object") throw invalidValue(argument);
  return String(value);
}

/** @throws {ConsoleError} for anything but `yes`, `no`, `true` and `false`. */
export function booleanOf(argument: string, value: Value): boolean {
  if (value === true || value === "yes" || value === "true") return true;
  if (value === false || value === "no" || value === "false") return false;
  throw invalidValue(argument);
}

/** Whole number of `from` to `to`. @throws {ConsoleError} for anything else. */
export function numberOf(argument: string, value: Value, range: readonly [number, number]): number {
  const number = typeof value === "number" ? value : Number(decimal(argument, value));
  const [from, to] = range;
  if (!Number.isInteger(number) || number < from || number > to) throw invalidValue(argument);
  return number;
}

/**
 * Bytes; the suffixes of file sizes are binary (observed: `file-size=512M` gives 512 MiB).
 * @throws {ConsoleError} for fractions, other units and sizes beyond 2^53.
 */
export function bytesOf(argument: string, value: Value): number {
  if (typeof value === "number") return numberOf(argument, value, [0, Number.MAX_SAFE_INTEGER]);
  const match = /^(\d+)([KMGTP]?)(?:i?B)?$/i.exec(textOf(argument, value));
  const unit = binaryUnits[match?.[2]?.toUpperCase() ?? "none"];
  const bytes = Number(match?.[1]) * (unit ?? Number.NaN);
  if (!Number.isSafeInteger(bytes)) throw invalidValue(argument);
  return bytes;
}

function decimal(argument: string, value: Value): string {
  if (value instanceof Duration) throw invalidValue(argument);
  const text = textOf(argument, value);
  if (!/^\d+$/.test(text)) throw invalidValue(argument);
  return text;
}
