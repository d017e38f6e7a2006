import { typedWord } from "#sim/console/literals.ts";
import type { Cursor } from "./cursor.ts";
import type { Grammar } from "./grammar.ts";
import type { WordReader } from "./parse-expression.ts";
import { refuseArgument } from "./refuse-argument.ts";
import type { Expression } from "./syntax.ts";

/** Words of a script: literals keep their type, any other name is a variable, with or without `$`. */
export const scriptWords: WordReader = {
  read(cursor) {
    const literal = readLiteral(cursor, /-?[0-9][0-9A-Za-z:.]*/y);
    if (literal !== undefined) return literal;
    const name = cursor.take(/[A-Za-z_.][\w-]*/y);
    if (name === undefined) return undefined;
    const value = typedWord(name);
    return typeof value === "string" ? { kind: "variable", name } : { kind: "constant", value };
  },
};

/** Words of a `where`: properties of the menu, and to the right of a comparison plain values. */
export function whereWords(
  grammar: Grammar,
  properties: ReadonlySet<string>,
  command: string,
): WordReader {
  return {
    read(cursor, compared) {
      const literal = readLiteral(cursor, /-?[0-9][\w.:-]*/y);
      if (literal !== undefined) return literal;
      const text = cursor.take(/[A-Za-z_.][\w.:-]*/y);
      if (text === undefined) return undefined;
      if (compared) return { kind: "word", text };
      if (properties.has(text)) return { kind: "property", name: text };
      return refuseArgument(grammar, text, command);
    },
  };
}

function readLiteral(cursor: Cursor, pattern: RegExp): Expression | undefined {
  const text = cursor.take(pattern) ?? cursor.take(/\*{1,2}[0-9A-Za-z]+/y);
  return text === undefined ? undefined : { kind: "word", text };
}
