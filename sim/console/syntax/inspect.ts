import { textOf } from "#sim/console/value-text.ts";
import type { Block, Command, Expression } from "./syntax.ts";

/**
 * The form in which `:parse` shows what it understood: `(evl /disk/addslot=x;type=file)`, the arguments
 * glued to the command and sorted by name. Observed on RouterOS 7.23.3.
 */
export function inspect({ commands }: Block): string {
  return commands.length === 0 ? "(evl )" : commands.map(inspectCommand).join("");
}

function inspectCommand(command: Command): string {
  if (command.kind === "group") return `(evl ${inspect(command.body)})`;
  if (command.kind === "built-in")
    return `(evl /${command.name}${inspectArguments(command.inputs)})`;
  const named = new Map(command.arguments);
  if (command.items !== undefined) named.set("numbers", command.items);
  if (command.where !== undefined) named.set("where", command.where);
  for (const word of command.words) named.set(word, { kind: "constant", value: "" });
  return `(evl ${command.path}/${command.name}${inspectArguments(named)})`;
}

function inspectArguments(named: ReadonlyMap<string, Expression>): string {
  const sorted = [...named].sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([name, value]) => `${name}=${inspectExpression(value)}`).join(";");
}

function inspectExpression(expression: Expression): string {
  switch (expression.kind) {
    case "constant":
      return textOf(expression.value);
    case "word":
      return expression.text;
    case "variable":
    case "property":
      return `$${expression.name}`;
    case "template":
      return `(. ${expression.parts.map(inspectPart).join(" ")})`;
    case "prefix":
      return `(${expression.operator} ${inspectExpression(expression.operand)})`;
    case "infix":
      return `(${expression.operator} ${[expression.left, expression.right].map(inspectExpression).join(" ")})`;
    case "array":
      return expression.elements
        .map(({ key, value }) => `${key === undefined ? "" : `${key}=`}${inspectExpression(value)}`)
        .join(";");
    default:
      return inspect(expression.body);
  }
}

function inspectPart(part: string | Expression): string {
  return typeof part === "string" ? part : inspectExpression(part);
}
