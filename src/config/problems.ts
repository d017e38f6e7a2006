import type * as v from "valibot";
import type { GivenTree } from "./layer.ts";
import { type SchemaPlace, schemaTree } from "./schema-tree.ts";

type Issue = v.BaseIssue<unknown>;

/** One sentence per issue: the key, what was expected, what was given, and where. */
export function problemsOf(issues: readonly Issue[], tree: GivenTree): string[] {
  return issues.map((issue) => {
    const path = (issue.path ?? []).map(({ key }) => String(key));
    const source = tree.sourceOf(path);
    const origin = source === undefined || isMissing(issue) ? "" : ` (${source})`;
    return `${path.join(".")}: ${complaint(issue, path)}${origin}`;
  });
}

function complaint(issue: Issue, path: readonly string[]): string {
  const place = find(path, schemaTree());
  if (isMissing(issue))
    return place?.kind === "setting" ? `missing, expected ${place.expected}` : "missing";
  if (issue.expected === "never")
    return `unknown key, expected one of ${keysAt(path.slice(0, -1)).join(", ")}`;
  if (issue.expected === "Object") return `expected keys and values, got ${shown(issue.input)}`;
  return `${issue.message}, got ${shown(issue.input)}`;
}

function isMissing({ type, received }: Issue): boolean {
  return type === "strict_object" && received === "undefined";
}

function keysAt(path: readonly string[]): string[] {
  const place = find(path, schemaTree());
  return place?.kind === "keys" ? [...place.entries.keys()] : [];
}

function find(path: readonly string[], place: SchemaPlace | undefined): SchemaPlace | undefined {
  const [key, ...rest] = path;
  if (key === undefined || place === undefined) return place;
  if (place.kind === "names") return find(rest, place.each);
  return place.kind === "keys" ? find(rest, place.entries.get(key)) : undefined;
}

const longestValue = 80;

/** Text of several lines is never shown: somebody may have put a key where its path belongs. */
function shown(value: unknown): string {
  if (typeof value === "string" && value.includes("\n")) return "several lines of text";
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > longestValue ? `${text.slice(0, longestValue)}…` : text;
}
