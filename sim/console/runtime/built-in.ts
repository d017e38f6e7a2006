import type { Value } from "#sim/console/value.ts";
import type { Inputs } from "./inputs.ts";

/** A `:command`; what it returns is what `[:command …]` stands for. */
export type BuiltIn = (inputs: Inputs) => Promise<Value>;
