import { toBytes } from "#sim/console/bytes.ts";
import { ConsoleError } from "#sim/console/console-error.ts";
import { isAtLeast } from "#sim/console/version.ts";
import type { Grammar } from "./grammar.ts";

/**
 * Refuses an argument that a command does not know. From 7.23 RouterOS names it and points behind the
 * name; before, it points at its first byte and says no more than that the command should have ended.
 * @throws {ConsoleError} always.
 */
export function refuseArgument(grammar: Grammar, name: string, command: string): never {
  const { cursor, tree } = grammar;
  const end = cursor.at;
  if (!isAtLeast(tree.version, 7, 23))
    cursor.fail("expected end of command", end - toBytes(name).length);
  const message = `bad parameter ${name} ${cursor.place(end)}`;
  throw new ConsoleError("parse", message, `(evl ${message} ${command})`);
}
