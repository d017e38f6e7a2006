import type { MenuTree } from "#sim/console/menu.ts";
import { Cursor } from "./cursor.ts";
import type { Grammar } from "./grammar.ts";
import { parseCommands } from "./parse-command.ts";
import { parseExpression } from "./parse-expression.ts";
import { scriptWords } from "./read-word.ts";
import type { Block, Expression } from "./syntax.ts";

/**
 * Parses commands and checks them against the menus, the commands and the argument names that `tree`
 * knows, nested ones included: what RouterOS refuses as a whole line is refused here.
 * @throws {ConsoleError} of stage `parse`, naming the place.
 */
export function parse(source: string, tree: MenuTree): Block {
  return parseCommands(new Parser(source, tree), "");
}

class Parser implements Grammar {
  readonly cursor: Cursor;
  readonly tree: MenuTree;
  path = "";

  constructor(source: string, tree: MenuTree) {
    this.cursor = new Cursor(source);
    this.tree = tree;
  }

  block(close: "}" | "]"): Block {
    const { path } = this;
    const block = this.cursor.nested(() => parseCommands(this, close));
    this.path = path;
    return block;
  }

  expression(): Expression {
    return parseExpression(this, scriptWords);
  }
}
