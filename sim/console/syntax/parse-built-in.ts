import { ConsoleError } from "#sim/console/console-error.ts";
import type { BuiltInSlots, SlotKind } from "./built-in-slots.ts";
import type { Grammar } from "./grammar.ts";
import { commandEnd, parseValue } from "./parse-value.ts";
import { refuseArgument } from "./refuse-argument.ts";
import type { BuiltInCommand, Expression } from "./syntax.ts";

/** The inputs of `:name`, up to the end of the command. @throws {ConsoleError} for any it does not know. */
export function parseBuiltIn(
  grammar: Grammar,
  name: string,
  { positional, slots, required }: BuiltInSlots,
): BuiltInCommand {
  const { cursor } = grammar;
  const inputs = new Map<string, Expression>();
  for (cursor.skipBlanks(); !commandEnd.test(cursor.peek()); cursor.skipBlanks()) {
    const slot =
      takeName(grammar, name, slots) ??
      positional.find((free) => !inputs.has(free)) ??
      cursor.fail("expected end of command");
    inputs.set(slot, parseInput(grammar, slots[slot] ?? "value"));
  }
  const missing = required.filter((slot) => !inputs.has(slot));
  if (missing.length > 0)
    throw new ConsoleError("parse", `missing value(s) of argument(s) ${missing.join(" ")}`);
  return { kind: "built-in", name, inputs };
}

function takeName(
  grammar: Grammar,
  command: string,
  slots: Readonly<Record<string, SlotKind>>,
): string | undefined {
  const { cursor } = grammar;
  const name = cursor.take(/[A-Za-z][\w-]*(?==)/y);
  if (name === undefined) return undefined;
  if (!Object.hasOwn(slots, name)) refuseArgument(grammar, name, `/${command}`);
  cursor.skip("=");
  return name;
}

function parseInput(grammar: Grammar, kind: SlotKind): Expression {
  const { cursor } = grammar;
  if (kind === "code") {
    if (!cursor.skip("{")) cursor.fail("syntax error");
    return { kind: "code", body: grammar.block("}") };
  }
  if (kind === "value") return parseValue(grammar) ?? cursor.fail("expected end of command");
  const name =
    cursor.take(/"[^"\\$]+"|[A-Za-z0-9_]+(?:,[A-Za-z0-9_]+)*/y) ?? cursor.fail("syntax error");
  return { kind: "variable", name: name.replaceAll('"', "") };
}
