import type { Given } from "./layer.ts";
import { type SchemaPlace, schemaTree } from "./schema-tree.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

const prefix = "RDS_CSI_";

/** Names the file itself, so it is no setting. */
export const configFileVariable = `${prefix}CONFIG`;

/**
 * Settings from the environment: `RDS_CSI_` and the path of the key, `__` between its parts, in upper case,
 * as in `RDS_CSI_APPLIANCES__RDS_1__USER` for `appliances.rds-1.user` and `RDS_CSI_LOG_LEVEL` for `logLevel`.
 */
export function environmentLayer(environment: Environment): Given[] {
  const tree = schemaTree();
  return Object.entries(environment).flatMap(([name, value]) => {
    if (value === undefined || !name.startsWith(prefix) || name === configFileVariable) return [];
    if (isServiceLink(name, value)) return [];
    const path = keysOf(name.slice(prefix.length).split("__"), tree);
    return [{ path, value, source: `environment variable ${name}` }];
  });
}

/**
 * Kubernetes tells pods about Services in variables of this form (and Docker did): a Service named
 * `rds-csi-metrics` yields RDS_CSI_METRICS_SERVICE_HOST and RDS_CSI_METRICS_PORT=tcp://….
 */
function isServiceLink(name: string, value: string): boolean {
  if (/_SERVICE_(HOST|PORT(_\w+)?)$|_PORT_\d+_(TCP|UDP|SCTP)(_\w+)?$/.test(name)) return true;
  return name.endsWith("_PORT") && /^(tcp|udp|sctp):\/\//.test(value);
}

/** Parts that the schema does not know are kept as they are: it will refuse them by name. */
function keysOf(parts: readonly string[], place: SchemaPlace | undefined): string[] {
  const [part, ...rest] = parts;
  if (part === undefined) return [];
  if (place?.kind === "names")
    return [part.toLowerCase().replaceAll("_", "-"), ...keysOf(rest, place.each)];
  if (place?.kind !== "keys") return [part, ...keysOf(rest, undefined)];
  const key = [...place.entries.keys()].find((one) => folded(one) === folded(part));
  return [key ?? part, ...keysOf(rest, key === undefined ? undefined : place.entries.get(key))];
}

function folded(name: string): string {
  return name.replaceAll("_", "").toLowerCase();
}
