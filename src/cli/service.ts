import { once } from "node:events";
import { parseArgs } from "node:util";
import type { Config } from "#config/config.ts";
import { configFlags } from "#config/flag-layer.ts";
import { loadConfig } from "#config/load.ts";
import type { Log } from "#lib/log.ts";
import { createLogger } from "#observability/logger.ts";
import { exitCodes, type Terminal } from "./command.ts";
import { watchStrays } from "./strays.ts";
import { version } from "./version.ts";

/** Starts one part of the driver; it serves until it is disposed. */
export type Start = (config: Config, log: Log) => Promise<AsyncDisposable>;

/** Runs a part of the driver until the process is asked to end, then lets it finish what it does. */
export async function serve(
  role: string,
  start: Start,
  args: readonly string[],
  { signal }: Terminal,
): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: configFlags });
  const config = await loadConfig(values);
  const log = createLogger(config.logLevel).child({ role });
  watchStrays(log);
  const { driverName, logLevel } = config;
  log.info({ version, node: process.versions.node, driverName, logLevel }, "Starting");
  await using _running = await start(config, log);
  if (!signal.aborted) await once(signal, "abort");
  log.info({ signal: signal.reason }, "Stopping");
  return exitCodes.done;
}
