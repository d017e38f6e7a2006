import { ConfigError } from "./config-error.ts";
import type { Given } from "./layer.ts";

/** The flags that every command with a configuration takes, for `parseArgs`. */
export const configFlags = {
  config: { type: "string" },
  set: { type: "string", multiple: true },
  endpoint: { type: "string" },
  "node-id": { type: "string" },
  "log-level": { type: "string" },
} as const;

/** What `parseArgs` makes of them. */
export interface ConfigFlags {
  readonly config?: string | undefined;
  readonly set?: readonly string[] | undefined;
  readonly endpoint?: string | undefined;
  readonly "node-id"?: string | undefined;
  readonly "log-level"?: string | undefined;
}

const shorthands = { endpoint: "endpoint", "node-id": "nodeId", "log-level": "logLevel" } as const;

/** @throws {ConfigError} for a `--set` that is not `path=value`. */
export function flagLayer(flags: ConfigFlags): Given[] {
  const set = (flags.set ?? []).map(settingOf);
  const named = Object.entries(shorthands).flatMap(([flag, key]) => {
    const value = flags[flag as keyof typeof shorthands];
    return value === undefined ? [] : [{ path: [key], value, source: `--${flag}` }];
  });
  return [...set, ...named];
}

function settingOf(text: string): Given {
  const at = text.indexOf("=");
  if (at < 1) throw new ConfigError([`--set ${text}: expected path=value, such as logLevel=debug`]);
  const source = "--set";
  return { path: text.slice(0, at).split("."), value: text.slice(at + 1), source };
}
