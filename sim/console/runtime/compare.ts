import { Duration, type Value } from "#sim/console/value.ts";
import { textOf } from "#sim/console/value-text.ts";

/**
 * Equality across types, by what the values look like: `*2B` the id equals `"*2B"` the string, and
 * nothing equals the empty string, as the common idiom `find comment=""` needs. A boolean also equals
 * its `yes` or `no`, and an absent one counts as `no`.
 */
export function sameValue(left: Value, right: Value): boolean {
  if (left === right) return true;
  if (typeof left === "boolean") return left === truth(right);
  if (typeof right === "boolean") return right === truth(left);
  return textOf(left) === textOf(right);
}

/** Below 0, 0 or above 0; `undefined` when the two cannot be ordered. */
export function order(left: Value, right: Value): number | undefined {
  const a = magnitude(left);
  const b = magnitude(right);
  if (a !== undefined && b !== undefined) return a - b;
  if (typeof left !== "string" || typeof right !== "string") return undefined;
  return left < right ? -1 : Number(left > right);
}

/** What a bare property means in `where`: set, and neither false nor zero. */
export function isTrue(value: Value): boolean {
  return value !== undefined && value !== false && value !== "" && value !== 0;
}

function truth(value: Value): boolean | undefined {
  if (value === "yes" || value === "true" || value === true) return true;
  return value === undefined || value === "no" || value === "false" ? false : undefined;
}

function magnitude(value: Value): number | undefined {
  if (typeof value === "number") return value;
  if (value instanceof Duration) return value.milliseconds;
  return typeof value === "string" && /^-?\d+$/.test(value) ? Number(value) : undefined;
}
