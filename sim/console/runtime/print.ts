import { ConsoleError } from "#sim/console/console-error.ts";
import type { CallResult, Menu, Row } from "#sim/console/menu.ts";
import { asValue } from "#sim/console/print/as-value.ts";
import { printBlock } from "#sim/console/print/block.ts";
import { printDetail } from "#sim/console/print/detail.ts";
import type { Listing } from "#sim/console/print/listing.ts";
import { printTable } from "#sim/console/print/table.ts";
import { printTerse } from "#sim/console/print/terse.ts";
import { printValueList } from "#sim/console/print/value-list.ts";
import type { Value } from "#sim/console/value.ts";
import { isList, textOf } from "#sim/console/value-text.ts";
import type { Runtime } from "./runtime.ts";

export interface PrintRequest {
  readonly menu: Menu;
  readonly words: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, Value>;
  readonly filter: (row: Row) => boolean;
}

const modes = {
  detail: printDetail,
  terse: printTerse,
  "value-list": printValueList,
} as const;

/** `print` in all its modes; only `as-value` and `count-only` have a value. */
export async function runPrint(request: PrintRequest, runtime: Runtime): Promise<CallResult> {
  const { menu, words, values, filter } = request;
  refuseEndless(request);
  const rows = await menu.rows(menuArguments(menu, values));
  const items = rows.flatMap((row, number) => (filter(row) ? [{ row, number }] : []));
  const listing: Listing = {
    menu,
    items,
    total: rows.length,
    width: runtime.width,
    names: namesIn(values.get("proplist")),
    showIds: words.has("show-ids"),
  };
  if (words.has("count-only")) {
    runtime.terminal.line(String(items.length));
    return { value: items.length };
  }
  if (words.has("as-value")) return { value: asValue(listing, words.has("detail")) };
  runtime.terminal.page(human(listing, words));
  return {};
}

function human(listing: Listing, words: ReadonlySet<string>): readonly string[] {
  if (listing.menu.singleton) return printBlock(listing);
  for (const [word, print] of Object.entries(modes)) if (words.has(word)) return print(listing);
  return printTable(listing);
}

/** Nobody reads a file that a simulator wrote, and nobody ends a print that repeats itself. */
function refuseEndless({ words, values }: PrintRequest): void {
  const names = ["file", "interval", "from"].filter((name) => values.has(name));
  const [refused] = [...names, ...["follow", "follow-only"].filter((word) => words.has(word))];
  if (refused !== undefined)
    throw new ConsoleError("run-time", `failure: the simulator cannot print with "${refused}"`);
}

function menuArguments(menu: Menu, values: ReadonlyMap<string, Value>): ReadonlyMap<string, Value> {
  return new Map([...values].filter(([name]) => menu.printArguments?.has(name) === true));
}

function namesIn(proplist: Value): readonly string[] | undefined {
  if (proplist === undefined) return undefined;
  return isList(proplist) ? proplist.map(textOf) : textOf(proplist).split(",");
}
