import type { Value } from "#sim/console/value.ts";

/** One line, or the inside of `{ }` and `[ ]`. */
export interface Block {
  readonly commands: readonly Command[];
}

export type Command = GroupCommand | BuiltInCommand | MenuInvocation;

/** `{ … }` as a command of its own: a scope. */
export interface GroupCommand {
  readonly kind: "group";
  readonly body: Block;
}

/** `:put …`, `:if …`: inputs by the name of their slot. */
export interface BuiltInCommand {
  readonly kind: "built-in";
  readonly name: string;
  readonly inputs: ReadonlyMap<string, Expression>;
}

/** A command of a menu, checked against the menu tree. */
export interface MenuInvocation {
  readonly kind: "menu";
  /** Absolute path of the menu, without the command. */
  readonly path: string;
  readonly name: string;
  /** The unnamed item reference, or `numbers=`. */
  readonly items: Expression | undefined;
  readonly arguments: ReadonlyMap<string, Expression>;
  /** Bare words: `detail`, `as-value`, `once`. */
  readonly words: ReadonlySet<string>;
  readonly where: Expression | undefined;
}

export type Expression =
  | { readonly kind: "constant"; readonly value: Value }
  /** A bare word: scripts give it a type (`5`, `yes`, `1d`), menus receive it as it was written. */
  | { readonly kind: "word"; readonly text: string }
  /** A quoted string with `$name`, `$[…]` or `$(…)` in it. */
  | { readonly kind: "template"; readonly parts: readonly (string | Expression)[] }
  | { readonly kind: "variable"; readonly name: string }
  /** In `where`: a property of the row that is looked at. */
  | { readonly kind: "property"; readonly name: string }
  | { readonly kind: "prefix"; readonly operator: PrefixOperator; readonly operand: Expression }
  | {
      readonly kind: "infix";
      readonly operator: InfixOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: "array"; readonly elements: readonly ArrayElement[] }
  /** `[ … ]`: the value of its last command. */
  | { readonly kind: "substitution"; readonly body: Block }
  /** `do={ … }` */
  | { readonly kind: "code"; readonly body: Block };

export interface ArrayElement {
  readonly key: string | undefined;
  readonly value: Expression;
}

export type PrefixOperator = "!" | "-";

export type InfixOperator =
  | ","
  | "or"
  | "and"
  | "in"
  | "="
  | "!="
  | "<"
  | ">"
  | "<="
  | ">="
  | "~"
  | "."
  | "+"
  | "-"
  | "*"
  | "/"
  | "%"
  | "->";
