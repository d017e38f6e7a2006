import { ConsoleError } from "#sim/console/console-error.ts";
import { fromJson } from "#sim/console/from-json.ts";
import { toJson } from "#sim/console/to-json.ts";
import type { Value } from "#sim/console/value.ts";
import { isAtLeast } from "#sim/console/version.ts";
import type { BuiltIn } from "./built-in.ts";
import type { Inputs } from "./inputs.ts";

/** `:serialize` and `:deserialize`, for JSON alone. */
export const jsonCommands: Readonly<Record<string, BuiltIn>> = {
  serialize: async (inputs) => {
    await requireJson(inputs, "to");
    const options = await optionsOf(inputs);
    const value = await inputs.value("value");
    const kept = inputs.runtime.jsonStrings === "keep";
    const convertStrings = !kept && !options.includes("json.no-string-conversion");
    return toJson(value, { convertStrings });
  },
  deserialize: async (inputs) => {
    await requireJson(inputs, "from");
    await optionsOf(inputs); // numbers stay numbers either way
    return fromJson(await inputs.text("value"));
  },
};

async function requireJson(inputs: Inputs, slot: "to" | "from"): Promise<void> {
  if ((await inputs.text(slot)) !== "json") refuse(slot);
}

/** `json.no-string-conversion` came with 7.16. */
async function optionsOf(inputs: Inputs): Promise<readonly string[]> {
  if (!inputs.has("options")) return [];
  const options = (await inputs.text("options")).split(",");
  const since716 = isAtLeast(inputs.runtime.tree.version, 7, 16);
  if (!since716 || options.some((option) => option !== "json.no-string-conversion"))
    refuse("options");
  return options;
}

function refuse(slot: string): Value {
  throw new ConsoleError("run-time", `input does not match any value of ${slot}`);
}
