import { ConsoleError } from "#sim/console/console-error.ts";
import type { InfixOperator } from "#sim/console/syntax/syntax.ts";
import { Duration, type Value } from "#sim/console/value.ts";
import { isList, isMap, textOf, typeName } from "#sim/console/value-text.ts";
import { order, sameValue } from "./compare.ts";
import { posixRegex } from "./posix-regex.ts";

type Operation = (left: Value, right: Value) => Value;

const operations: Readonly<Record<InfixOperator, Operation>> = {
  ",": (left, right) => [...elements(left), ...elements(right)],
  or: (left, right) => boolean(left) || boolean(right),
  and: (left, right) => boolean(left) && boolean(right),
  in: contains,
  "=": sameValue,
  "!=": (left, right) => !sameValue(left, right),
  "<": (left, right) => compared(left, right, (sign) => sign < 0),
  ">": (left, right) => compared(left, right, (sign) => sign > 0),
  "<=": (left, right) => compared(left, right, (sign) => sign <= 0),
  ">=": (left, right) => compared(left, right, (sign) => sign >= 0),
  "~": (left, right) => posixRegex(textOf(right)).test(textOf(left)),
  ".": concatenate,
  "+": (left, right) => arithmetic("add", left, right),
  "-": (left, right) => arithmetic("subtract", left, right),
  "*": (left, right) => number("multiply", left) * number("multiply", right),
  "/": (left, right) => Math.trunc(number("divide", left) / divisor(right)),
  "%": (left, right) => number("divide", left) % divisor(right),
  "->": element,
};

/** @throws {ConsoleError} for operands that the operator does not take. */
export function infix(operator: InfixOperator, left: Value, right: Value): Value {
  return operations[operator](left, right);
}

/** @throws {ConsoleError} for operands that the operator does not take. */
export function prefix(operator: "!" | "-", operand: Value): Value {
  if (operator === "!") return !boolean(operand);
  if (operand instanceof Duration) return new Duration(0 - operand.milliseconds);
  return 0 - number("negate", operand);
}

/** What `:if`, `:while` and the logical operators accept. @throws {ConsoleError} for anything else. */
export function boolean(value: Value): boolean {
  if (typeof value === "boolean") return value;
  throw new ConsoleError("run-time", "conditional not boolean");
}

function elements(value: Value): readonly Value[] {
  return isList(value) ? value : [value];
}

function contains(left: Value, right: Value): boolean {
  return elements(right).some((item) => sameValue(left, item));
}

function compared(left: Value, right: Value, accept: (sign: number) => boolean): boolean {
  const sign = order(left, right);
  if (sign !== undefined) return accept(sign);
  return fail(`cannot compare ${typeName(left)} with ${typeName(right)}`);
}

/** A list on one side takes the other side into each of its elements. Observed on RouterOS 7.23.3. */
function concatenate(left: Value, right: Value): Value {
  if (isList(left)) return left.map((item) => concatenate(item, right));
  if (isList(right)) return right.map((item) => concatenate(left, item));
  return textOf(left) + textOf(right);
}

function arithmetic(verb: "add" | "subtract", left: Value, right: Value): Value {
  const sign = verb === "add" ? 1 : -1;
  if (left instanceof Duration && right instanceof Duration)
    return new Duration(left.milliseconds + sign * right.milliseconds);
  return number(verb, left) + sign * number(verb, right);
}

function number(verb: string, value: Value): number {
  if (typeof value === "number") return value;
  if (typeof value === "string" && /^-?\d+$/.test(value)) return Number(value);
  return fail(`cannot ${verb} ${typeName(value)}`);
}

function divisor(value: Value): number {
  const divided = number("divide", value);
  return divided === 0 ? fail("division by zero") : divided;
}

function element(left: Value, right: Value): Value {
  if (isMap(left)) return left.get(textOf(right));
  return isList(left) && typeof right === "number" ? left[right] : undefined;
}

function fail(message: string): never {
  throw new ConsoleError("run-time", message);
}
