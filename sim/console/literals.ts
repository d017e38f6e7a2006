import { parseDuration } from "./duration.ts";
import { Id, type Value } from "./value.ts";

/** Types a bare word as scripts do: `yes` is a boolean, `0x10` a number, `*2B` an id, `1d` a time. */
export function typedWord(text: string): Value {
  if (text === "yes" || text === "true") return true;
  if (text === "no" || text === "false") return false;
  if (/^-?(?:\d+|0x[0-9A-Fa-f]+)$/.test(text)) return integer(text);
  if (/^\*{1,2}[0-9A-Za-z]+$/.test(text)) return new Id(text);
  return parseDuration(text) ?? text;
}

function integer(text: string): number {
  return text.startsWith("-") ? 0 - Number(text.slice(1)) : Number(text);
}
