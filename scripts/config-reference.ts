// Writes the table of settings in docs/configuration.md from the schema.
import { readFileSync, writeFileSync } from "node:fs";
import { type SchemaPlace, schemaTree } from "#config/schema-tree.ts";

const [begin, end] = ["<!-- settings -->\n", "<!-- end of settings -->\n"] as const;

/** The page with its table replaced. @throws {Error} when the page lost its marks. */
export function withReference(page: string): string {
  const [before, rest] = page.split(begin);
  const [, after] = rest?.split(end) ?? [];
  if (before === undefined || after === undefined)
    throw new Error(`Cannot write the settings: "${begin.trim()}" or its end is missing`);
  return `${before}${begin}${configReference()}${end}${after}`;
}

function configReference(): string {
  const rows = rowsOf([], schemaTree());
  return ["| Key | Expected | Default | Meaning |", "|---|---|---|---|", ...rows, ""].join("\n");
}

function rowsOf(path: readonly string[], place: SchemaPlace): string[] {
  if (place.kind === "names") return rowsOf([...path, "<name>"], place.each);
  if (place.kind === "keys")
    return [...place.entries].flatMap(([key, inner]) => rowsOf([...path, key], inner));
  const { about, expected, required } = place;
  const fallback = required ? "required" : shown(place.default);
  return [`| \`${path.join(".")}\` | ${expected} | ${fallback} | ${about} |`];
}

function shown(value: unknown): string {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return "";
  return `\`${value}\``;
}

if (import.meta.main) {
  const file = new URL("../docs/configuration.md", import.meta.url);
  writeFileSync(file, withReference(readFileSync(file, "utf8")));
}
