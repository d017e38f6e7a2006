import { ConsoleError } from "#sim/console/console-error.ts";
import { slotsOf } from "./built-in-slots.ts";
import { shapeOf } from "./command-shape.ts";
import type { Grammar } from "./grammar.ts";
import { parseArguments } from "./parse-arguments.ts";
import { parseBuiltIn } from "./parse-built-in.ts";
import { commandEnd } from "./parse-value.ts";
import type { Block, Command } from "./syntax.ts";

/**
 * Commands up to the closing bracket, which is consumed, or to the end of the text.
 * @throws {ConsoleError} for the first one that this user on this version could not type.
 */
export function parseCommands(grammar: Grammar, close: "}" | "]" | ""): Block {
  const { cursor } = grammar;
  const commands: Command[] = [];
  for (;;) {
    cursor.take(/[\s;]*(?:#[^\n]*\s*)*/y);
    if (close !== "" && cursor.skip(close)) return { commands };
    if (cursor.peek() === "" && close === "") return { commands };
    if (commandEnd.test(cursor.peek())) cursor.fail("syntax error");
    const command = parseCommand(grammar);
    if (command !== undefined) commands.push(command);
  }
}

/** One command, or `undefined` when it does no more than change the path. */
function parseCommand(grammar: Grammar): Command | undefined {
  const { cursor } = grammar;
  if (cursor.skip("{")) return { kind: "group", body: grammar.block("}") };
  if (cursor.skip("[")) return { kind: "group", body: grammar.block("]") };
  if (cursor.skip(":")) return builtIn(grammar) ?? expectName(grammar);
  const absolute = cursor.skip("/");
  return walk(grammar, absolute ? "" : grammar.path, absolute);
}

/** Follows menu names, joined by `/` or blanks, to a command; without one the path is the new place. */
function walk(grammar: Grammar, from: string, absolute: boolean): Command | undefined {
  const { cursor, tree } = grammar;
  let path = from;
  for (let named = absolute; ; named = true) {
    cursor.skipBlanks();
    if (named && commandEnd.test(cursor.peek())) break;
    const start = cursor.at;
    const word = cursor.take(/[A-Za-z][\w.-]*/y) ?? expectName(grammar);
    const below = `${path}/${word}`;
    if (tree.menu(below) === undefined && !tree.hasPrefix(below)) {
      cursor.back(start);
      return command(grammar, path, word);
    }
    path = below;
    cursor.skip("/");
  }
  grammar.path = path;
  return undefined;
}

function command(grammar: Grammar, path: string, name: string): Command {
  const { cursor, tree } = grammar;
  if (path === "") return builtIn(grammar) ?? refuseCommand(grammar, name);
  const menu = tree.menu(path);
  const shape = menu === undefined ? undefined : shapeOf(menu, name);
  if (shape === undefined) return refuseCommand(grammar, name);
  cursor.skip(name);
  const outside = grammar.path;
  grammar.path = path; // so that `[find …]` among the arguments means this menu
  const found = parseArguments(grammar, shape);
  grammar.path = outside;
  return { kind: "menu", path, name, ...found };
}

function builtIn(grammar: Grammar): Command | undefined {
  const { cursor, tree } = grammar;
  const name = cursor.take(/[A-Za-z][\w-]*/y);
  if (name === undefined) return undefined;
  const slots = slotsOf(name, tree.version);
  if (slots !== undefined) return parseBuiltIn(grammar, name, slots);
  cursor.back(cursor.at - name.length);
  return refuseCommand(grammar, name);
}

function expectName({ cursor }: Grammar): never {
  return cursor.fail("expected command name");
}

function refuseCommand({ cursor }: Grammar, name: string): never {
  const message = `bad command name ${name} ${cursor.place(cursor.at)}`;
  const rest = cursor.take(/[\w./ -]*/y)?.match(/[\w.-]+/g) ?? [];
  throw new ConsoleError("parse", message, `(<%% ${message} ${rest.join(";")})`);
}
