import { ConsoleError } from "#sim/console/console-error.ts";

const classes: Readonly<Record<string, string>> = {
  alnum: "A-Za-z0-9",
  alpha: "A-Za-z",
  blank: " \\t",
  cntrl: "\\x00-\\x1F\\x7F",
  digit: "0-9",
  graph: "\\x21-\\x7E",
  lower: "a-z",
  print: "\\x20-\\x7E",
  punct: "!-\\/:-@\\[-`{-~",
  space: " \\t\\n\\r\\f\\v",
  upper: "A-Z",
  xdigit: "0-9A-Fa-f",
};

/**
 * The POSIX extended regular expression behind `~`, unanchored. Differs from JavaScript's in bracket
 * expressions (named classes, a literal `\`, a leading `]`) and in having no letters with a meaning
 * after `\` but GNU's `\w \W \s \S \b \B`.
 * @throws {ConsoleError} for a malformed expression.
 */
export function posixRegex(source: string): RegExp {
  const tokens = source.match(/\\.|\[\^?\]?(?:\[:\w+:\]|[^\]])*\]|./gs) ?? [];
  try {
    return new RegExp(tokens.map(translate).join(""), "s");
  } catch (cause) {
    const error = new ConsoleError("run-time", `invalid regular expression "${source}"`);
    throw Object.assign(error, { cause });
  }
}

function translate(token: string): string {
  if (token.length > 1 && token.startsWith("[")) return bracket(token);
  if (!token.startsWith("\\") || token.length === 1) return token;
  const escaped = token.charAt(1);
  if (/[wWsSbB]/.test(escaped)) return token;
  return /\w/.test(escaped) ? escaped : `\\${escaped}`;
}

function bracket(token: string): string {
  const [, negation = "", inside = ""] = /^\[(\^?)(.*)\]$/s.exec(token) ?? [];
  const parts = inside.match(/\[:\w+:\]|./gs) ?? [];
  const translated = parts.map((part) => {
    const name = part.slice(2, -2);
    if (part.length > 1) return classes[name] ?? "";
    return /[\\[\]^]/.test(part) ? `\\${part}` : part;
  });
  return `[${negation}${translated.join("")}]`;
}
