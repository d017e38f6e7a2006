import { startController } from "#app/controller.ts";
import { controllerConfig } from "#config/roles.ts";
import type { Command } from "./command.ts";
import { configHelp } from "./config-help.ts";
import { serve } from "./service.ts";
import { version } from "./version.ts";

export const controllerCommand: Command = {
  help: () => `Usage: rds-csi controller [options]

Serves the CSI controller on a Unix socket until SIGTERM. It starts, and stays, while an appliance is away;
Probe says then that it is not ready. Needs the keys clusterId and appliances.

${configHelp}`,
  run: (args, terminal) =>
    serve(
      "controller",
      async (config, log) => await startController(controllerConfig(config), version, log),
      args,
      terminal,
    ),
};
