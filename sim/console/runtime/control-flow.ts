import { setTimeout as sleep } from "node:timers/promises";
import { ConsoleError } from "#sim/console/console-error.ts";
import { Duration, type Value } from "#sim/console/value.ts";
import { isList, isMap } from "#sim/console/value-text.ts";
import type { BuiltIn } from "./built-in.ts";
import type { Inputs } from "./inputs.ts";
import { boolean } from "./operators.ts";
import { Interrupted, Returned } from "./runtime.ts";

/** Built-ins that decide what runs. */
export const controlFlow: Readonly<Record<string, BuiltIn>> = {
  do: doOnce,
  while: loopWhile,
  if: choose,
  foreach: forEach,
  for: forRange,
  onerror: onError,
  error: raise,
  return: leave,
  delay,
  nothing: async () => undefined,
};

/** `:do { } on-error={ }`, and `:do { } while=( )`, which runs at least once. */
async function doOnce(inputs: Inputs): Promise<Value> {
  do {
    await inputs.runtime.checkpoint();
    const error = await errorOf(inputs, "command");
    if (error === undefined) continue;
    if (!inputs.has("on-error")) throw error;
    await inputs.run("on-error");
  } while (inputs.has("while") && boolean(await inputs.value("while")));
  return undefined;
}

async function loopWhile(inputs: Inputs): Promise<Value> {
  while (boolean(await inputs.value("condition"))) {
    await inputs.runtime.checkpoint();
    await inputs.run("do");
  }
  return undefined;
}

async function choose(inputs: Inputs): Promise<Value> {
  return inputs.run(boolean(await inputs.value("condition")) ? "do" : "else");
}

/** `:foreach item in=…` and `:foreach key,item in=…`. */
async function forEach(inputs: Inputs): Promise<Value> {
  const [first = "", second] = inputs.name("counter").split(",");
  const collection = await inputs.value("in");
  for (const [key, item] of entries(collection)) {
    await inputs.runtime.checkpoint();
    const variables = second === undefined ? { [first]: item } : { [first]: key, [second]: item };
    await inputs.run("do", variables);
  }
  return undefined;
}

async function forRange(inputs: Inputs): Promise<Value> {
  const from = await inputs.number("from", 0);
  const to = await inputs.number("to", 0);
  const step = await inputs.number("step", from <= to ? 1 : -1);
  if (step === 0) throw new ConsoleError("run-time", "invalid value for argument step");
  const counter = inputs.name("counter");
  for (let index = from; step > 0 ? index <= to : index >= to; index += step) {
    await inputs.runtime.checkpoint();
    await inputs.run("do", { [counter]: index });
  }
  return undefined;
}

/** Whether there was an error to handle; the variable stays in the scope around (observed on 7.23.2). */
async function onError(inputs: Inputs): Promise<Value> {
  const error = await errorOf(inputs, "in");
  inputs.scope.declare(inputs.name("error"), error?.message);
  if (error === undefined) return false;
  await inputs.run("do");
  return true;
}

async function raise(inputs: Inputs): Promise<Value> {
  throw new ConsoleError("run-time", await inputs.text("message"));
}

async function leave(inputs: Inputs): Promise<Value> {
  throw new Returned(await inputs.value("value"));
}

/** A bare number counts seconds. */
async function delay(inputs: Inputs): Promise<Value> {
  const time = await inputs.value("delay-time");
  const seconds = typeof time === "number" ? time : Number.NaN;
  const milliseconds = time instanceof Duration ? time.milliseconds : seconds * 1_000;
  if (Number.isNaN(milliseconds))
    throw new ConsoleError("run-time", "invalid value for argument delay-time");
  await sleep(milliseconds, undefined, { signal: inputs.runtime.signal }).catch((cause) => {
    throw new Interrupted("interrupted", { cause });
  });
  return undefined;
}

/** Only what RouterOS reports as text can be caught; anything else is a bug or a lost session. */
async function errorOf(inputs: Inputs, slot: string): Promise<ConsoleError | undefined> {
  try {
    await inputs.run(slot);
    return undefined;
  } catch (error) {
    if (error instanceof ConsoleError) return error;
    throw error;
  }
}

function entries(collection: Value): Iterable<readonly [Value, Value]> {
  if (isMap(collection)) return collection.entries();
  if (isList(collection)) return collection.entries();
  return collection === undefined ? [] : [[0, collection]];
}
