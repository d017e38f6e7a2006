import { fromBytes } from "#sim/console/bytes.ts";
import type { Grammar } from "./grammar.ts";
import type { Expression } from "./syntax.ts";

/** RouterOS manual, "Scripting": escape sequences. `\XX` takes two upper-case hexadecimal digits. */
const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  $: "$",
  _: " ",
  n: "\n",
  r: "\r",
  t: "\t",
  a: "\x07",
  b: "\b",
  f: "\f",
  v: "\v",
};

/**
 * A quoted string, its opening quote consumed already. An unescaped `$name` inside is replaced, by
 * nothing where the name is unknown: the reason why a client must escape every `$`.
 */
export function parseString(grammar: Grammar): Expression {
  const { cursor } = grammar;
  const parts: (string | Expression)[] = [];
  let bytes = "";
  const flush = () => {
    if (bytes !== "") parts.push(fromBytes(Buffer.from(bytes, "latin1")));
    bytes = "";
  };
  while (!cursor.skip('"')) {
    bytes += cursor.take(/[^"\\$]+/y) ?? "";
    if (cursor.peek() === "") cursor.fail("syntax error");
    if (cursor.skip("\\")) bytes += parseEscape(grammar);
    if (cursor.peek() !== "$") continue;
    const inserted = parseInsertion(grammar);
    if (typeof inserted === "string") bytes += inserted;
    else {
      flush();
      parts.push(inserted);
    }
  }
  flush();
  const constant = parts.every((part) => typeof part === "string");
  return constant ? { kind: "constant", value: parts.join("") } : { kind: "template", parts };
}

function parseEscape({ cursor }: Grammar): string {
  const hexadecimal = cursor.take(/[0-9A-F]{2}/y);
  if (hexadecimal !== undefined) return String.fromCharCode(Number.parseInt(hexadecimal, 16));
  const escaped = escapes[cursor.peek()] ?? cursor.fail("syntax error");
  cursor.skip(cursor.peek());
  return escaped;
}

/** `$name`, `$[command]` or `$(expression)`; a `$` before anything else stands for itself. */
function parseInsertion(grammar: Grammar): string | Expression {
  const { cursor } = grammar;
  cursor.skip("$");
  const name = cursor.take(/[A-Za-z0-9_]+/y);
  if (name !== undefined) return { kind: "variable", name };
  if (cursor.skip("[")) return { kind: "substitution", body: grammar.block("]") };
  if (!cursor.skip("(")) return "$";
  const expression = grammar.expression();
  cursor.skipBlanks();
  if (!cursor.skip(")")) cursor.fail("syntax error");
  return expression;
}
