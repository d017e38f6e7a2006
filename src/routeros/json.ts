/** One record as `:serialize` printed it: keys may be missing, scalars come as numbers, strings or booleans. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/**
 * Finds the JSON values in console output, each starting on a line of its own; stray lines between them
 * (log messages, an echoed count) are skipped, and line breaks inside of them are taken out.
 * @throws {SyntaxError} when there are not exactly `count`: output that is cut short must never look
 * like a short list.
 */
export function readJson(output: string, count: number): unknown[] {
  const values: unknown[] = [];
  for (let at = nextStart(output, 0); at !== undefined; ) {
    const end = endOfValue(output, at);
    const value = parse(output.slice(at, end));
    if (value !== undefined) values.push(value);
    at = nextStart(output, end);
  }
  if (values.length === count) return values;
  throw new SyntaxError(`expected ${count} JSON values, found ${values.length}`);
}

/** The records of a list; a singleton or a single match may come without the list around it. */
export function recordsOf(value: unknown): JsonRecord[] {
  const items: unknown[] = Array.isArray(value) ? value : [value];
  return items.map((item, index) => {
    if (isRecord(item)) return item;
    throw new SyntaxError(`expected an object as item ${index + 1} of the list`);
  });
}

/** `""` for what is absent or null. */
export function textOf(record: JsonRecord, key: string): string {
  const value = record[key];
  return value === undefined || value === null ? "" : String(value);
}

/** A count or a size in bytes; `undefined` for what is absent or no number. */
export function numberOf(record: JsonRecord, key: string): number | undefined {
  const text = textOf(record, key).replaceAll(" ", "");
  return /^\d+(\.0+)?$/.test(text) ? Number(text) : undefined;
}

export function flagOf(record: JsonRecord, key: string): boolean {
  return ["true", "yes"].includes(textOf(record, key));
}

function nextStart(text: string, from: number): number | undefined {
  const pattern = /(?<=^|[\r\n])[ \t]*[[{]/g;
  pattern.lastIndex = from;
  const match = pattern.exec(text);
  return match === null ? undefined : match.index + match[0].length - 1;
}

/** Behind the bracket that closes the one at `start`. @throws {SyntaxError} when the text ends first. */
function endOfValue(text: string, start: number): number {
  const pattern = /[[\]{}]|"(?:[^"\\]|\\.)*"/gs;
  pattern.lastIndex = start;
  let depth = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    if ("[{".includes(match[0])) depth += 1;
    else if ("]}".includes(match[0])) depth -= 1;
    if (depth === 0) return pattern.lastIndex;
  }
  throw new SyntaxError("the JSON text is cut short");
}

/** The console may break lines inside a value; escapes are never broken in two. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text.replaceAll(/[\r\n]/g, ""));
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is JsonRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
