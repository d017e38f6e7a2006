import { fromBytes } from "#sim/console/bytes.ts";
import type { Grammar } from "./grammar.ts";
import { parseString } from "./parse-string.ts";
import type { ArrayElement, Expression } from "./syntax.ts";

/** Ends a command, besides the end of the text. */
export const commandEnd = /^(?:$|[;\n\r}\]])/;

/**
 * A value where a command takes one: `"x"`, `$x`, `[…]`, `(…)`, `{1;2}` or a bare word.
 * `undefined` when there is none.
 * @throws {ConsoleError} when something is glued to its end.
 */
export function parseValue(grammar: Grammar): Expression | undefined {
  const { cursor } = grammar;
  const value = parseBracketed(grammar) ?? parseWord(grammar);
  if (value === undefined) return undefined;
  const next = cursor.peek();
  if (next === "$" || next === "\\") cursor.fail("syntax error");
  if (!commandEnd.test(next) && next !== " " && next !== "\t")
    cursor.fail("expected end of command");
  return value;
}

/** A value that shows by its first character where it ends. */
export function parseBracketed(grammar: Grammar): Expression | undefined {
  const { cursor } = grammar;
  if (cursor.skip('"')) return parseString(grammar);
  if (cursor.skip("$")) return parseVariable(grammar);
  if (cursor.skip("[")) return { kind: "substitution", body: grammar.block("]") };
  if (cursor.skip("(")) return parseParentheses(grammar);
  return cursor.skip("{") ? parseArray(grammar) : undefined;
}

function parseWord({ cursor }: Grammar): Expression | undefined {
  const bytes = cursor.take(/[^\s;"()[\]{}$\\=]+/y);
  if (bytes === undefined) return undefined;
  return { kind: "word", text: fromBytes(Buffer.from(bytes, "latin1")) };
}

/** `$name` or `$"any name"`. */
function parseVariable(grammar: Grammar): Expression {
  const { cursor } = grammar;
  const name = cursor.take(/[A-Za-z0-9_]+/y);
  if (name !== undefined) return { kind: "variable", name };
  if (!cursor.skip('"')) cursor.fail("syntax error");
  const quoted = parseString(grammar);
  if (quoted.kind !== "constant") return cursor.fail("syntax error");
  return { kind: "variable", name: String(quoted.value) };
}

function parseParentheses(grammar: Grammar): Expression {
  const { cursor } = grammar;
  const expression = grammar.expression();
  cursor.skipBlanks();
  if (!cursor.skip(")")) cursor.fail("syntax error");
  return expression;
}

/** `{1;2}` or `{a=1;"b c"=2}`; the opening brace is consumed. An empty one is an error on RouterOS too. */
function parseArray(grammar: Grammar): Expression {
  const { cursor } = grammar;
  const elements: ArrayElement[] = [];
  do {
    cursor.take(/\s*/y);
    if (elements.length > 0 && cursor.peek() === "}") break;
    elements.push({ key: parseKey(grammar), value: grammar.expression() });
    cursor.take(/\s*/y);
  } while (cursor.skip(";"));
  if (!cursor.skip("}")) cursor.fail("syntax error");
  return { kind: "array", elements };
}

function parseKey({ cursor }: Grammar): string | undefined {
  const bytes = cursor.take(/[A-Za-z_.][\w.-]*(?==)|"[^"\\$]*"(?==)/y);
  if (bytes === undefined) return undefined;
  cursor.skip("=");
  return fromBytes(Buffer.from(bytes.replaceAll('"', ""), "latin1"));
}
