import { ConsoleError } from "#sim/console/console-error.ts";
import type { CallResult, Menu, MenuCommand, Row } from "#sim/console/menu.ts";
import { propertyNames } from "#sim/console/syntax/command-shape.ts";
import type { Expression, MenuInvocation } from "#sim/console/syntax/syntax.ts";
import { Id, type Value } from "#sim/console/value.ts";
import { sortedMap, textOf } from "#sim/console/value-text.ts";
import { compileFilter } from "./filter.ts";
import { resolveItems } from "./items.ts";
import { runPrint } from "./print.ts";
import type { Runtime } from "./runtime.ts";
import type { Scope } from "./scope.ts";

/** Runs a command of a menu: the console's own `print`, `find` and `get`, or one that the menu brings. */
export async function runMenuCommand(
  invocation: MenuInvocation,
  runtime: Runtime,
  scope: Scope,
): Promise<CallResult> {
  const menu = runtime.tree.menu(invocation.path);
  if (menu === undefined) throw new ConsoleError("run-time", "no such command");
  if (invocation.name === "find") return find(invocation, menu, { runtime, scope });
  const values = await argumentValues(invocation.arguments, runtime, scope);
  if (invocation.name === "print") {
    const filter = await filterOf(invocation, menu, { runtime, scope });
    return runPrint({ menu, words: invocation.words, values, filter }, runtime);
  }
  const reference = invocation.items && (await argumentValue(invocation.items, runtime, scope));
  const items = async () =>
    resolveItems(reference, await menu.rows(), runtime.tree.nameProperty(menu.path));
  if (invocation.name === "get")
    return get(menu, menu.singleton ? undefined : await items(), values);
  const rows = invocation.items === undefined ? [] : await items();
  return commandOf(menu, invocation.name).run({
    ids: rows.map(({ id }) => id),
    arguments: values,
    words: invocation.words,
    signal: runtime.signal,
  });
}

async function find(
  invocation: MenuInvocation,
  menu: Menu,
  session: { readonly runtime: Runtime; readonly scope: Scope },
): Promise<CallResult> {
  const filter = await filterOf(invocation, menu, session);
  const rows = await menu.rows();
  return { value: rows.filter(filter).map(({ id }) => new Id(id)) };
}

function filterOf(
  { where }: MenuInvocation,
  menu: Menu,
  session: { readonly runtime: Runtime; readonly scope: Scope },
): Promise<(row: Row) => boolean> {
  return compileFilter(where, propertyNames(menu), session);
}

/** One property, or without a name all of them. A property that the item lacks is nothing. */
async function get(
  menu: Menu,
  items: readonly Row[] | undefined,
  values: ReadonlyMap<string, Value>,
): Promise<CallResult> {
  const [row, another] = items ?? (await menu.rows());
  if (row === undefined) throw new ConsoleError("run-time", "no such item");
  if (another !== undefined) throw new ConsoleError("run-time", "invalid internal item number");
  const property = values.get("value-name");
  if (property !== undefined) return valueResult(propertyOf(row, textOf(property)));
  const all = menu.singleton ? [] : [[".id", new Id(row.id)] as const];
  return { value: sortedMap([...all, ...row.values]) };
}

function propertyOf(row: Row, name: string): Value {
  return name === ".id" ? new Id(row.id) : row.values.get(name);
}

function valueResult(value: Value): CallResult {
  return value === undefined ? {} : { value };
}

async function argumentValues(
  written: ReadonlyMap<string, Expression>,
  runtime: Runtime,
  scope: Scope,
): Promise<ReadonlyMap<string, Value>> {
  const values = new Map<string, Value>();
  for (const [name, expression] of written)
    values.set(name, await argumentValue(expression, runtime, scope));
  return values;
}

/** Menus get bare words as they were written; only they know what type they want. */
async function argumentValue(
  expression: Expression,
  runtime: Runtime,
  scope: Scope,
): Promise<Value> {
  return expression.kind === "word" ? expression.text : runtime.evaluate(expression, scope);
}

function commandOf(menu: Menu, name: string): MenuCommand {
  const command = menu.commands.get(name);
  if (command === undefined) throw new ConsoleError("run-time", "no such command");
  return command;
}
