import { ConsoleError } from "#sim/console/console-error.ts";
import type { CommandShape } from "./command-shape.ts";
import type { Grammar } from "./grammar.ts";
import { parseExpression, withoutComma } from "./parse-expression.ts";
import { commandEnd, parseValue } from "./parse-value.ts";
import { whereWords } from "./read-word.ts";
import { refuseArgument } from "./refuse-argument.ts";
import type { Expression, MenuInvocation } from "./syntax.ts";

type Arguments = Pick<MenuInvocation, "items" | "arguments" | "words" | "where">;

interface Collected {
  items: Expression | undefined;
  readonly arguments: Map<string, Expression>;
  readonly words: Set<string>;
}

/** The arguments of a menu command, up to its end. @throws {ConsoleError} for any it does not know. */
export function parseArguments(grammar: Grammar, shape: CommandShape): Arguments {
  const { cursor } = grammar;
  const found: Collected = { items: undefined, arguments: new Map(), words: new Set() };
  let where: Expression | undefined;
  for (cursor.skipBlanks(); !commandEnd.test(cursor.peek()); cursor.skipBlanks()) {
    const filter = shape.filter !== "none" && cursor.take(/where(?=[\s(!])/y) !== undefined;
    if (filter || shape.filter === "bare") where = parseFilter(grammar, shape);
    else if (!parseNamed(grammar, shape, found)) parsePositional(grammar, shape, found);
  }
  if (shape.takesItems && found.items === undefined)
    throw new ConsoleError("parse", "missing value(s) of argument(s) numbers");
  return { ...found, where };
}

/** Conditions that stand side by side must all hold. */
function parseFilter(grammar: Grammar, shape: CommandShape): Expression | undefined {
  const { cursor } = grammar;
  const words = whereWords(grammar, shape.properties, shape.command);
  let all: Expression | undefined;
  for (cursor.skipBlanks(); !commandEnd.test(cursor.peek()); cursor.skipBlanks()) {
    const right = parseExpression(grammar, words, withoutComma);
    all = all === undefined ? right : { kind: "infix", operator: "and", left: all, right };
  }
  return all;
}

function parseNamed(grammar: Grammar, shape: CommandShape, found: Collected): boolean {
  const { cursor } = grammar;
  const name = cursor.take(/[A-Za-z.][\w.-]*(?==)/y);
  if (name === undefined) return false;
  const reference = shape.takesItems && /^(?:numbers?|\.id)$/.test(name);
  if (!reference && !shape.arguments.has(name)) {
    if (shape.words.has(name)) cursor.fail("expected end of command");
    refuseArgument(grammar, name, shape.command);
  }
  const equals = cursor.at;
  cursor.skip("=");
  const value = parseValue(grammar) ?? cursor.fail("expected end of command", equals);
  if (reference) found.items = value;
  else setArgument(shape, found, { name, value });
  return true;
}

function parsePositional(grammar: Grammar, shape: CommandShape, found: Collected): void {
  const { cursor } = grammar;
  const start = cursor.at;
  const value = parseValue(grammar) ?? cursor.fail("expected end of command");
  const word = value.kind === "word" ? value.text : undefined;
  if (word !== undefined && shape.words.has(word)) found.words.add(word);
  else if (shape.takesItems && found.items === undefined) found.items = value;
  else if (shape.arguments.has("value-name") && !found.arguments.has("value-name"))
    setArgument(shape, found, { name: "value-name", value });
  else if (word !== undefined) refuseArgument(grammar, word, shape.command);
  else cursor.fail("expected end of command", start);
}

/** What stands in the line as such is looked at now, before anything runs. */
function setArgument(
  shape: CommandShape,
  found: Collected,
  { name, value }: { readonly name: string; readonly value: Expression },
): void {
  found.arguments.set(name, value);
  const text = literalText(value);
  if (text !== undefined) shape.check(name, text);
}

function literalText(value: Expression): string | undefined {
  if (value.kind === "word") return value.text;
  return value.kind === "constant" && typeof value.value === "string" ? value.value : undefined;
}
