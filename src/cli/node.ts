import { startNode } from "#app/node.ts";
import { nodeConfig } from "#config/roles.ts";
import type { Command } from "./command.ts";
import { configHelp } from "./config-help.ts";
import { serve } from "./service.ts";
import { version } from "./version.ts";

export const nodeCommand: Command = {
  help: () => `Usage: rds-csi node [options]

Serves the CSI node on a Unix socket until SIGTERM; volumes stay attached and mounted then. Runs as root, with
the host's /dev, /sys and kubelet's folder, mounts propagating both ways. Needs the key nodeId.

${configHelp}`,
  run: (args, terminal) =>
    serve(
      "node",
      async (config, log) => await startNode(nodeConfig(config), version, log),
      args,
      terminal,
    ),
};
