import { formatPercent } from "#lib/percent.ts";
import type { ApplianceConfig, Config, KubernetesApi } from "./config.ts";
import type { Environment } from "./environment-layer.ts";
import type { ApplianceSettings, Settings } from "./schema.ts";

/** What the schema cannot say: settings that depend on one another. @returns one sentence per problem. */
export function contradictions(settings: Settings): string[] {
  const { appliances, clusterId, defaultAppliance, node } = settings;
  const names = Object.keys(appliances);
  const quoted = names.map((name) => `"${name}"`).join(", ");
  const problems: string[] = [];
  if (defaultAppliance !== undefined && !names.includes(defaultAppliance))
    problems.push(
      `defaultAppliance: "${defaultAppliance}" is not among the appliances (${quoted || "there are none"})`,
    );
  if (defaultAppliance === undefined && names.length > 1)
    problems.push(`defaultAppliance: missing, expected one of ${quoted}`);
  for (const [name, one] of Object.entries(appliances))
    problems.push(...contradictionsOf(`appliances.${name}`, one, clusterId));
  if (node.initiator.type === "loop" && node.initiator.exportsDirectory === undefined)
    problems.push('node.initiator.exportsDirectory: missing, initiator "loop" needs it');
  return problems;
}

function contradictionsOf(
  path: string,
  { baseDirectory, limits: { reserve, emergency = 0 } }: ApplianceSettings,
  clusterId: string | undefined,
): string[] {
  const problems: string[] = [];
  if (baseDirectory === clusterId)
    problems.push(
      `${path}.baseDirectory: "${baseDirectory}" is also the clusterId, and RouterOS wants names of Btrfs subvolumes to differ`,
    );
  if (emergency * 2 > reserve)
    problems.push(
      `${path}.limits.emergency: expected at most half of limits.reserve (${formatPercent(reserve)}), got ${formatPercent(emergency)}: exports come back when twice as much is free, and no volume may be made before that`,
    );
  return problems;
}

/** Fills in what follows from other settings and from the pod's surroundings. */
export function complete(settings: Settings, environment: Environment): Config {
  const { appliances, node, ...rest } = settings;
  const entries = Object.entries(appliances);
  const plugins = `${node.kubeletDirectory}/plugins`;
  const stateDirectory = node.stateDirectory ?? `${plugins}/${settings.driverName}`;
  return {
    ...rest,
    appliances: new Map(entries.map(([name, one]) => [name, completeAppliance(one)])),
    defaultAppliance: settings.defaultAppliance ?? entries[0]?.[0],
    kubernetes: settings.kubernetes === "off" ? undefined : kubernetesApi(environment),
    node: { ...node, stateDirectory },
  };
}

function completeAppliance({ data, limits, ...rest }: ApplianceSettings): ApplianceConfig {
  const { addresses = [rest.address], port } = data;
  const { emergency = limits.reserve / 5 } = limits;
  return { ...rest, data: { addresses, port }, limits: { ...limits, emergency } };
}

/** Kubernetes documentation, "Accessing the Kubernetes API from a Pod". */
function kubernetesApi(environment: Environment): KubernetesApi | undefined {
  const host = environment["KUBERNETES_SERVICE_HOST"];
  const port = Number(environment["KUBERNETES_SERVICE_PORT_HTTPS"] ?? 443);
  return host ? { host, port } : undefined;
}
