import { readFile } from "node:fs/promises";
import * as v from "valibot";
import { reservedNames } from "#lib/reserved-names.ts";
import { complete, contradictions } from "./complete.ts";
import type { Config } from "./config.ts";
import { ConfigError } from "./config-error.ts";
import { configFileVariable, type Environment, environmentLayer } from "./environment-layer.ts";
import { fileLayer } from "./file-layer.ts";
import { type ConfigFlags, flagLayer } from "./flag-layer.ts";
import { deepFreeze } from "./freeze.ts";
import { type Given, layered } from "./layer.ts";
import { problemsOf } from "./problems.ts";
import { configSchema } from "./schema.ts";

/** Read when nobody names a file, and only if it is there. */
const defaultFile = "/etc/rds-csi/config.yaml";

/**
 * Reads the configuration: flags count more than the environment, and that more than the file.
 * @throws {ConfigError} naming every key that cannot be used, and where it was given.
 */
export async function loadConfig(
  flags: ConfigFlags,
  environment: Environment = process.env,
): Promise<Config> {
  const file = flags.config ?? environment[configFileVariable];
  const settings = await fileSettings(file);
  const given = [...settings, ...environmentLayer(environment), ...flagLayer(flags)];
  const reserved = reservedKeys(given);
  if (reserved.length > 0) throw new ConfigError(reserved);
  const tree = layered(given);
  const parsed = v.safeParse(configSchema, tree.root);
  if (!parsed.success) throw new ConfigError(problemsOf(parsed.issues, tree));
  const problems = contradictions(parsed.output);
  if (problems.length > 0) throw new ConfigError(problems);
  return deepFreeze(complete(parsed.output, environment));
}

/** What valibot would drop from a table, such as `appliances`, silently must be refused before. */
function reservedKeys(settings: readonly Given[]): string[] {
  return settings
    .filter(({ path }) => path.slice(1).some((key) => reservedNames.has(key)))
    .map(({ path, source }) => `${path.join(".")}: a reserved name (${source})`);
}

async function fileSettings(named: string | undefined): Promise<Given[]> {
  const file = named ?? defaultFile;
  try {
    return fileLayer(await readFile(file, "utf8"), file);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" && named === undefined) return [];
    const reason = code === "ENOENT" ? "no such file" : String(code);
    throw new ConfigError([`${file}: cannot be read (${reason})`], { cause: error });
  }
}
