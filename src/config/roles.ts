import type { Config } from "./config.ts";
import { ConfigError } from "./config-error.ts";

export interface ControllerConfig extends Config {
  readonly clusterId: string;
  readonly defaultAppliance: string;
}

export interface NodeConfig extends Config {
  readonly nodeId: string;
}

/** @throws {ConfigError} naming what a controller cannot be without. */
export function controllerConfig(config: Config): ControllerConfig {
  const { clusterId, defaultAppliance } = config;
  if (clusterId !== undefined && defaultAppliance !== undefined)
    return { ...config, clusterId, defaultAppliance };
  throw new ConfigError([
    ...(clusterId === undefined ? ["clusterId: missing, the controller needs it"] : []),
    ...(defaultAppliance === undefined ? ["appliances: missing, the controller needs one"] : []),
  ]);
}

/** @throws {ConfigError} naming what a node cannot be without. */
export function nodeConfig(config: Config): NodeConfig {
  const { nodeId } = config;
  if (nodeId !== undefined) return { ...config, nodeId };
  throw new ConfigError(["nodeId: missing, the node needs it (--node-id or RDS_CSI_NODE_ID)"]);
}
