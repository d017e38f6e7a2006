import type { MenuTree } from "#sim/console/menu.ts";
import type { Cursor } from "./cursor.ts";
import type { Block, Expression } from "./syntax.ts";

/** What the parts of the parser share; `parser.ts` ties them into one grammar that may nest. */
export interface Grammar {
  readonly cursor: Cursor;
  readonly tree: MenuTree;
  /** Path that relative commands start from; a block inherits it and gives it back. */
  path: string;
  /** The inside of `{ }` or `[ ]`, whose opening bracket is consumed already. */
  block(close: "}" | "]"): Block;
  /** An expression inside parentheses or braces. */
  expression(): Expression;
}
