import { ConsoleError } from "#sim/console/console-error.ts";
import type { Menu } from "#sim/console/menu.ts";

/** What a command of a menu accepts. */
export interface CommandShape {
  /** The menu path and the command: `/disk/print`. */
  readonly command: string;
  readonly takesItems: boolean;
  readonly arguments: ReadonlySet<string>;
  readonly words: ReadonlySet<string>;
  /** `keyword`: after `where`; `bare`: `where` may be left out; `none`: no filter. */
  readonly filter: "none" | "keyword" | "bare";
  /** What `where` may name. */
  readonly properties: ReadonlySet<string>;
  /** @throws {ConsoleError} for a literal value that the argument does not take. */
  readonly check: (argument: string, value: string) => void;
}

const listWords = new Set([
  "as-value",
  "brief",
  "count-only",
  "detail",
  "show-ids",
  "show-sensitive",
  "stats",
  "terse",
  "value-list",
  "without-paging",
  "follow",
  "follow-only",
]);
const singletonWords = new Set(["as-value", "without-paging"]);
const monitorWords = new Set(["once", "as-value"]);
const none: ReadonlySet<string> = new Set();

/** The shape of a command, or `undefined` when the menu has no such command. */
export function shapeOf(menu: Menu, name: string): CommandShape | undefined {
  const properties = propertyNames(menu);
  const base = {
    command: `${menu.path}/${name}`,
    takesItems: false,
    arguments: none,
    words: none,
    filter: "none" as const,
    properties,
    check: (argument: string, value: string) => checkNames(properties, argument, value),
  };
  if (name === "print") return { ...base, ...printShape(menu) };
  if (name === "get")
    return { ...base, takesItems: !menu.singleton, arguments: new Set(["value-name"]) };
  if (name === "find") return menu.singleton ? undefined : { ...base, filter: "bare" };
  const command = menu.commands.get(name);
  if (command === undefined) return undefined;
  return {
    ...base,
    takesItems: command.takesItems,
    arguments: command.arguments,
    words: command.words ?? monitorWords,
    check: (argument, value) => command.check?.(argument, value),
  };
}

/** `proplist=` and the property of `get` are checked like names of arguments. */
function checkNames(properties: ReadonlySet<string>, argument: string, value: string): void {
  if (argument !== "proplist" && argument !== "value-name") return;
  if (value.split(",").every((name) => properties.has(name))) return;
  throw new ConsoleError("parse", `input does not match any value of ${argument}`);
}

function printShape(menu: Menu): Pick<CommandShape, "arguments" | "words" | "filter"> {
  const own = ["proplist", "file", "interval", "from"];
  return {
    arguments: new Set([...own, ...(menu.printArguments ?? [])]),
    words: menu.singleton ? singletonWords : listWords,
    filter: menu.singleton ? "none" : "keyword",
  };
}

/** What a filter, `proplist` or `get` may name in this menu. */
export function propertyNames(menu: Menu): ReadonlySet<string> {
  const names = menu.properties.map(({ name }) => name);
  return new Set([".id", ...names, ...menu.flags.map(({ property }) => property)]);
}
