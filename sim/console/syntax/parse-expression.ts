import type { Cursor } from "./cursor.ts";
import type { Grammar } from "./grammar.ts";
import { parseBracketed } from "./parse-value.ts";
import type { Expression, InfixOperator } from "./syntax.ts";

/** How bare words read: as variables in scripts, as properties and values in `where`. */
export interface WordReader {
  /** @param compared - Whether the word stands right of a comparison. */
  read(cursor: Cursor, compared: boolean): Expression | undefined;
}

interface Operator {
  readonly operator: InfixOperator;
  readonly binding: number;
}

/** Loosest first, as measured on RouterOS 7.23.3; longer spellings stand before their prefixes. */
const operators: readonly (readonly [RegExp, InfixOperator, number])[] = [
  [/->/y, "->", 9],
  [/&&/y, "and", 3],
  [/\|\|/y, "or", 2],
  [/and(?![\w-])/y, "and", 3],
  [/or(?![\w-])/y, "or", 2],
  [/in(?![\w-])/y, "in", 4],
  [/!=/y, "!=", 5],
  [/<=/y, "<=", 5],
  [/>=/y, ">=", 5],
  [/=/y, "=", 5],
  [/</y, "<", 5],
  [/>/y, ">", 5],
  [/~/y, "~", 5],
  [/\.(?!id(?![\w-]))/y, ".", 6],
  [/\+/y, "+", 7],
  [/-/y, "-", 7],
  [/\*/y, "*", 8],
  [/\//y, "/", 8],
  [/%/y, "%", 8],
  [/,/y, ",", 1],
];

const comparison = 5;

/** Binds looser than every operator but `,`, which `where` has no use for. */
export const withoutComma = 2;

/**
 * An expression by precedence climbing; all operators are taken as left-associative.
 * @throws {ConsoleError} `syntax error`, behind a closing bracket that came too early, else at the spot.
 */
export function parseExpression(grammar: Grammar, words: WordReader, loosest = 1): Expression {
  let left = parseOperand(grammar, words, false);
  for (;;) {
    const found = takeOperator(grammar.cursor, loosest);
    if (found === undefined) return left;
    const right = parseRight(grammar, words, found);
    left = { kind: "infix", operator: found.operator, left, right };
  }
}

function parseRight(grammar: Grammar, words: WordReader, { binding }: Operator): Expression {
  let right = parseOperand(grammar, words, binding === comparison);
  for (;;) {
    const tighter = takeOperator(grammar.cursor, binding + 1);
    if (tighter === undefined) return right;
    const operand = parseRight(grammar, words, tighter);
    right = { kind: "infix", operator: tighter.operator, left: right, right: operand };
  }
}

function parseOperand(grammar: Grammar, words: WordReader, compared: boolean): Expression {
  const { cursor } = grammar;
  cursor.skipBlanks();
  const sign = cursor.take(/!|-(?=\D)/y);
  if (sign === "!" || sign === "-") {
    const operand = cursor.nested(() => parseOperand(grammar, words, compared));
    return { kind: "prefix", operator: sign, operand };
  }
  if (cursor.skip("(")) return cursor.nested(() => parseGroup(grammar, words));
  const operand = cursor.nested(() => parseBracketed(grammar)) ?? words.read(cursor, compared);
  return operand ?? cursor.fail("syntax error", cursor.at + (cursor.take(/[)\]}]/y)?.length ?? 0));
}

function parseGroup(grammar: Grammar, words: WordReader): Expression {
  const { cursor } = grammar;
  const inner = parseExpression(grammar, words);
  cursor.skipBlanks();
  if (!cursor.skip(")")) cursor.fail("syntax error");
  return inner;
}

function takeOperator(cursor: Cursor, loosest: number): Operator | undefined {
  const start = cursor.at;
  cursor.skipBlanks();
  for (const [spelling, operator, binding] of operators) {
    if (binding < loosest || cursor.take(spelling) === undefined) continue;
    return { operator, binding };
  }
  cursor.back(start);
  return undefined;
}
