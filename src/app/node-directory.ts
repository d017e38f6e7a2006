import type { Config } from "#config/config.ts";
import type { NodeDirectory } from "#domain/ports/node-directory.ts";
import { ApiClient, serviceAccountFolder } from "#kubernetes/api-client.ts";
import { CsiNodeDirectory } from "#kubernetes/csi-node-directory.ts";
import { systemClock } from "#lib/clock.ts";
import type { Log } from "#lib/log.ts";
import { ConfiguredNodes } from "./configured-nodes.ts";

const apiTimeoutMs = 10_000;

/** Kubernetes inside a cluster, otherwise the configuration. */
export function nodeDirectory(
  { kubernetes, driverName, nodes }: Config,
  log: Log,
  stack: AsyncDisposableStack,
): NodeDirectory {
  if (kubernetes === undefined) {
    if (nodes.length === 0) log.warn({}, "No volume can be published: no nodes are configured");
    return new ConfiguredNodes(nodes);
  }
  const api = stack.use(
    new ApiClient({
      ...kubernetes,
      serviceAccount: serviceAccountFolder,
      timeoutMs: apiTimeoutMs,
    }),
  );
  return new CsiNodeDirectory({ api, driverName, clock: systemClock });
}
