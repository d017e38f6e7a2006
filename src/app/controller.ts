import type { ControllerConfig } from "#config/roles.ts";
import { Claims } from "#controller/claims.ts";
import { PoolGuard } from "#controller/pool-guard.ts";
import { controllerHandlers } from "#csi/controller/service.ts";
import { Readiness } from "#csi/identity/readiness.ts";
import { identityHandlers } from "#csi/identity/service.ts";
import { CsiServer } from "#csi/server.ts";
import { DriverError } from "#domain/errors.ts";
import { systemClock as clock } from "#lib/clock.ts";
import type { Context } from "#lib/context.ts";
import { KeyedMutex } from "#lib/keyed-mutex.ts";
import type { Log } from "#lib/log.ts";
import { randomNonce } from "#lib/nonce.ts";
import { ConfiguredAppliances } from "./appliances.ts";
import { nodeDirectory } from "./node-directory.ts";
import { probeLimits } from "./probe-limits.ts";

/**
 * The controller, serving when this resolves. An appliance that is away keeps it from being ready, not from
 * being there. Disposing it drains the calls, then disconnects.
 */
export async function startController(
  config: ControllerConfig,
  version: string,
  log: Log,
): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const { driverName, endpoint, clusterId, fencing } = config;
  const appliances = stack.use(await ConfiguredAppliances.open(config, log));
  const nodes = nodeDirectory(config, log, stack);
  const shutPools = new Set<string>();
  const check = (ctx: Context) => requireDefault(appliances).ready(ctx);
  const { ready } = new Readiness({ check, clock, ...probeLimits });
  const server = stack.use(
    new CsiServer({
      endpoint,
      log,
      drainMilliseconds: config.shutdownTimeout,
      services: {
        identity: identityHandlers({ driverName, version, ready }),
        controller: controllerHandlers({
          appliances,
          nodes,
          clock,
          nonce: randomNonce,
          locks: new KeyedMutex(),
          claims: new Claims(),
          shutPools,
          cluster: clusterId,
          fenceSettleSeconds: fencing.settleTime / 1_000,
        }),
      },
    }),
  );
  await server.listen();
  for (const appliance of appliances.all())
    stack.use(new PoolGuard({ appliance, shutPools, clock, log })).start();
  return stack.move();
}

function requireDefault(appliances: ConfiguredAppliances) {
  const found = appliances.find(undefined);
  if (found === undefined)
    throw new DriverError("internal", "Cannot serve: there is no default appliance");
  return found;
}
