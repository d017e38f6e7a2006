import { ConsoleError } from "#sim/console/console-error.ts";
import { typedWord } from "#sim/console/literals.ts";
import type { Row } from "#sim/console/menu.ts";
import type { Expression } from "#sim/console/syntax/syntax.ts";
import { Id, type Value } from "#sim/console/value.ts";
import { textOf } from "#sim/console/value-text.ts";
import { isTrue, sameValue } from "./compare.ts";
import { infix } from "./operators.ts";
import { posixRegex } from "./posix-regex.ts";
import type { Runtime } from "./runtime.ts";
import type { Scope } from "./scope.ts";

type Infix = Extract<Expression, { kind: "infix" }>;
type Reader = (row: Row) => Value;

/**
 * Compiles a `where` once for all rows. Variables and substitutions are evaluated here, not per row; a
 * variable that has the name of a property means the property, the classic trap of RouterOS scripts.
 * @throws {ConsoleError} for a malformed regular expression.
 */
export async function compileFilter(
  where: Expression | undefined,
  properties: ReadonlySet<string>,
  { runtime, scope }: { readonly runtime: Runtime; readonly scope: Scope },
): Promise<(row: Row) => boolean> {
  if (where === undefined) return () => true;
  const settled = await settle(where);
  const read = compile(settled);
  return (row) => isTrue(read(row));

  async function settle(expression: Expression): Promise<Expression> {
    switch (expression.kind) {
      case "infix": {
        const left = await settle(expression.left);
        return { ...expression, left, right: await settle(expression.right) };
      }
      case "prefix":
        return { ...expression, operand: await settle(expression.operand) };
      case "variable":
        if (properties.has(expression.name)) return { kind: "property", name: expression.name };
        return { kind: "constant", value: await runtime.evaluate(expression, scope) };
      case "property":
      case "constant":
      case "word":
        return expression;
      default:
        return { kind: "constant", value: await runtime.evaluate(expression, scope) };
    }
  }
}

function compile(expression: Expression): Reader {
  switch (expression.kind) {
    case "property":
      return propertyReader(expression.name);
    case "prefix":
      return compilePrefix(expression.operator, compile(expression.operand));
    case "infix":
      return compileInfix(expression);
    default: {
      const value = constantOf(expression);
      return () => value;
    }
  }
}

function propertyReader(name: string): Reader {
  return name === ".id" ? (row) => new Id(row.id) : (row) => row.values.get(name);
}

function compilePrefix(operator: "!" | "-", operand: Reader): Reader {
  if (operator === "!") return (row) => !isTrue(operand(row));
  return (row) => {
    const value = operand(row);
    return typeof value === "number" ? 0 - value : undefined;
  };
}

function compileInfix({ operator, left, right }: Infix): Reader {
  const a = compile(left);
  const b = compile(right);
  if (operator === "and") return (row) => isTrue(a(row)) && isTrue(b(row));
  if (operator === "or") return (row) => isTrue(a(row)) || isTrue(b(row));
  if (operator === "~" && isConstant(right)) {
    const pattern = posixRegex(textOf(constantOf(right)));
    return (row) => pattern.test(textOf(a(row)));
  }
  if (operator === "=" && right.kind === "word") return equalsWord(a, right.text);
  return (row) => harmless(() => infix(operator, a(row), b(row)));
}

/** An unquoted value means the text it was written as, or the value that this text stands for. */
function equalsWord(read: Reader, text: string): Reader {
  const typed = typedWord(text);
  return (row) => {
    const value = read(row);
    return value === text || sameValue(value, typed);
  };
}

/** Operands that do not fit match nothing: `where address=1.1.1.1/24` divides, and finds no item. */
function harmless(operate: () => Value): Value {
  try {
    return operate();
  } catch (error) {
    if (error instanceof ConsoleError) return undefined;
    throw error;
  }
}

function isConstant({ kind }: Expression): boolean {
  return kind === "constant" || kind === "word";
}

function constantOf(expression: Expression): Value {
  if (expression.kind === "word") return typedWord(expression.text);
  return expression.kind === "constant" ? expression.value : undefined;
}
