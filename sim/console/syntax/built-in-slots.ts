import type { Version } from "#sim/console/menu.ts";
import { isAtLeast } from "#sim/console/version.ts";

/** What a slot of a built-in takes: a value, a `{ }` of commands, or the name of a variable. */
export type SlotKind = "value" | "code" | "name";

export interface BuiltInSlots {
  /** Slots that unnamed arguments fill, in order. */
  readonly positional: readonly string[];
  readonly slots: Readonly<Record<string, SlotKind>>;
  readonly required: readonly string[];
  /** First RouterOS 7 minor version that has it; 0 when all have. */
  readonly since: number;
}

/** A built-in that takes one value. */
function unary(slot: string, since = 0): BuiltInSlots {
  return { positional: [slot], slots: { [slot]: "value" }, required: [slot], since };
}

function assignment(required: readonly string[]): BuiltInSlots {
  const slots = { name: "name", value: "value" } as const;
  return { positional: ["name", "value"], slots, required, since: 0 };
}

/** Names and order of the arguments as `/console/inspect` lists them; versions from schema dumps. */
const builtIns: Readonly<Record<string, BuiltInSlots>> = {
  put: unary("message"),
  error: unary("message"),
  len: unary("value"),
  typeof: unary("value"),
  tostr: unary("value"),
  tonum: unary("value"),
  toarray: unary("value"),
  parse: unary("value"),
  return: { ...unary("value"), required: [] },
  delay: unary("delay-time"),
  local: assignment(["name"]),
  global: assignment(["name"]),
  set: assignment(["name"]),
  nothing: { positional: [], slots: {}, required: [], since: 0 },
  serialize: {
    positional: ["value"],
    slots: { value: "value", to: "value", options: "value" },
    required: ["value", "to"],
    since: 13,
  },
  deserialize: {
    positional: ["value"],
    slots: { value: "value", from: "value", options: "value" },
    required: ["value", "from"],
    since: 13,
  },
  onerror: {
    positional: ["error", "in"],
    slots: { error: "name", in: "code", do: "code" },
    required: ["error", "in", "do"],
    since: 13,
  },
  do: {
    positional: ["command"],
    slots: { command: "code", "on-error": "code", while: "value" },
    required: ["command"],
    since: 0,
  },
  while: {
    positional: ["condition"],
    slots: { condition: "value", do: "code" },
    required: ["condition", "do"],
    since: 0,
  },
  if: {
    positional: ["condition"],
    slots: { condition: "value", do: "code", else: "code" },
    required: ["condition"],
    since: 0,
  },
  foreach: {
    positional: ["counter"],
    slots: { counter: "name", in: "value", do: "code" },
    required: ["counter", "in", "do"],
    since: 0,
  },
  for: {
    positional: ["counter"],
    slots: { counter: "name", from: "value", to: "value", step: "value", do: "code" },
    required: ["counter", "from", "to", "do"],
    since: 0,
  },
  pick: {
    positional: ["counter", "begin", "end"],
    slots: { counter: "value", begin: "value", end: "value" },
    required: ["counter", "begin"],
    since: 0,
  },
  find: {
    positional: ["in", "key", "from"],
    slots: { in: "value", key: "value", from: "value" },
    required: ["in", "key"],
    since: 0,
  },
};

/** The slots of `:name`, or `undefined` when this version has no such built-in. */
export function slotsOf(name: string, version: Version): BuiltInSlots | undefined {
  const found = Object.hasOwn(builtIns, name) ? builtIns[name] : undefined;
  return found !== undefined && isAtLeast(version, 7, found.since) ? found : undefined;
}
