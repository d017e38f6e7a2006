import { fromBytes, toBytes } from "#sim/console/bytes.ts";
import { ConsoleError } from "#sim/console/console-error.ts";
import { typedWord } from "#sim/console/literals.ts";
import { inspect } from "#sim/console/syntax/inspect.ts";
import { parse } from "#sim/console/syntax/parser.ts";
import type { Value } from "#sim/console/value.ts";
import { isList, isMap, textOf, typeName } from "#sim/console/value-text.ts";
import type { BuiltIn } from "./built-in.ts";
import { sameValue } from "./compare.ts";
import type { Inputs } from "./inputs.ts";

/** Built-ins that look at values, print them or keep them. */
export const valueCommands: Readonly<Record<string, BuiltIn>> = {
  put: async (inputs) => {
    inputs.runtime.terminal.line(await inputs.text("message"));
    return undefined;
  },
  len: async (inputs) => lengthOf(await inputs.value("value")),
  typeof: async (inputs) => typeName(await inputs.value("value")),
  tostr: async (inputs) => inputs.text("value"),
  tonum: async (inputs) => numberIn(await inputs.value("value")),
  toarray: async (inputs) => listIn(await inputs.value("value")),
  pick,
  find,
  local: async (inputs) => {
    inputs.scope.declare(inputs.name("name"), await inputs.value("value"));
    return undefined;
  },
  global: declareGlobal,
  set: assign,
  parse: parseText,
};

/** Strings count in bytes. */
function lengthOf(value: Value): number {
  if (isList(value)) return value.length;
  return isMap(value) ? value.size : toBytes(textOf(value)).length;
}

function numberIn(value: Value): Value {
  if (typeof value === "boolean") return Number(value);
  const number = typeof value === "string" ? typedWord(value) : value;
  return typeof number === "number" ? number : undefined;
}

function listIn(value: Value): Value {
  if (isList(value) || isMap(value)) return value;
  if (typeof value !== "string") return value === undefined ? [] : [value];
  return value === "" ? [] : value.split(",").map(typedWord);
}

/** `:pick value begin [end]`: elements or bytes from `begin` up to, not including, `end`. */
async function pick(inputs: Inputs): Promise<Value> {
  const value = await inputs.value("counter");
  const begin = await inputs.number("begin", 0);
  const end = await inputs.number("end", begin + 1);
  if (isList(value)) return inputs.has("end") ? value.slice(begin, end) : value[begin];
  const bytes = toBytes(textOf(value));
  return begin >= bytes.length ? undefined : fromBytes(bytes.subarray(begin, end));
}

/** `:find in key [from]`: the position, or nothing. Strings are searched from behind `from`. */
async function find(inputs: Inputs): Promise<Value> {
  const within = await inputs.value("in");
  const key = await inputs.value("key");
  const from = await inputs.number("from", -1);
  const found = isList(within)
    ? within.findIndex((item, index) => index > from && sameValue(item, key))
    : toBytes(textOf(within)).indexOf(toBytes(textOf(key)), from + 1);
  return found === -1 ? undefined : found;
}

/** Without a value it declares the name only: an existing global keeps what it holds. */
async function declareGlobal(inputs: Inputs): Promise<Value> {
  const name = inputs.name("name");
  if (inputs.has("value")) inputs.scope.declareGlobal(name, await inputs.value("value"));
  else if (!inputs.scope.knows(name)) inputs.scope.declareGlobal(name, undefined);
  return undefined;
}

async function assign(inputs: Inputs): Promise<Value> {
  const name = inputs.name("name");
  if (inputs.scope.assign(name, await inputs.value("value"))) return undefined;
  throw new ConsoleError("run-time", `unknown variable name ${name}`);
}

/** Answers with the parsed form, or with the error as a value: `:parse` itself never fails. */
async function parseText(inputs: Inputs): Promise<Value> {
  const source = await inputs.text("value");
  try {
    return inspect(parse(source, inputs.runtime.tree));
  } catch (error) {
    if (error instanceof ConsoleError) return error.inspection;
    throw error;
  }
}
