import { toBytes } from "#sim/console/bytes.ts";
import { unitText } from "#sim/console/duration.ts";
import type { Property } from "#sim/console/menu.ts";
import { Duration, type Value } from "#sim/console/value.ts";
import { isList, textOf } from "#sim/console/value-text.ts";

/** A value as tables and blocks show it: `53 687 091 200`, `50.0GiB`, `8%`, `yes`, strings as they are. */
export function formatPlain({ kind }: Pick<Property, "kind">, value: Value): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (isList(value)) return value.map((item) => formatPlain({ kind: "word" }, item)).join(",");
  if (value instanceof Duration) return unitText(value);
  if (typeof value !== "number") return textOf(value);
  if (kind === "number") return spaced(value);
  if (kind === "percent") return `${value}%`;
  return kind === "file-size" ? fileSize(value) : String(value);
}

/** A value as `detail` shows it: as above, strings in quotes. */
export function formatQuoted(property: Property, value: Value): string {
  const quoted = property.kind === "string" && typeof value === "string";
  return quoted ? quote(value) : formatPlain(property, value);
}

/** Digits in groups of three, separated by blanks. */
export function spaced(number: number): string {
  return String(number).replaceAll(/\B(?=(?:\d{3})+(?!\d))/g, " ");
}

/**
 * Bytes with one decimal and at most four digits before it: `1024.0MiB` is a gibibyte and `1924.1KiB`
 * not yet 1.9 MiB. Below that bytes as they are. Observed on RDS2216, RouterOS 7.24.4, and 7.16.1.
 */
export function fileSize(bytes: number): string {
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let [size, unit] = [bytes, ""];
  while (units.length > 0 && size >= (unit === "" ? 1024 : 10_000))
    [size, unit] = [size / 1024, units.shift() ?? ""];
  return unit === "" ? String(bytes) : `${size.toFixed(1)}${unit}`;
}

/** What a quoted string needs escaped to be read back as it was. */
function quote(text: string): string {
  const escaped = text.replaceAll(/["\\$]/g, "\\$&").replaceAll(/\p{Cc}/gu, hexadecimal);
  return `"${escaped}"`;
}

function hexadecimal(character: string): string {
  return Array.from(toBytes(character), (byte) => `\\${byte.toString(16).padStart(2, "0")}`)
    .join("")
    .toUpperCase();
}
