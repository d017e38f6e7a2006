import type { Context } from "#lib/context.ts";
import type { Action } from "./decide.ts";
import type { WatchHost } from "./host.ts";
import type { Sight } from "./sight.ts";

/** One that does not succeed is not tried for ever: it waits for what is under way below the hold. */
const mostTries = 5;

/** After these, I/O goes on waiting for another device. */
const goesOnWaiting: ReadonlySet<Action["do"]> = new Set([
  ...["wait", "report", "rescan", "reconnect", "connect", "prove-and-swap"],
] as const);

/**
 * Whether I/O may wait in a hold that has no path: the kernel tries it again without any pause then, which takes a whole
 * processor. Paths that have not failed have none waiting, or it waits in the namespace, at no cost.
 */
export function mustPark(action: Action, { hold, past }: Sight): boolean {
  const { queueing = false, paths = [] } = hold?.status ?? {};
  const isWaiting = queueing && paths.every((path) => path === "failed");
  return isWaiting && past.parked < mostTries && goesOnWaiting.has(action.do);
}

/** It only saves a processor: what keeps it from succeeding must keep nothing else. */
export async function park({ volume }: Sight, { holds }: WatchHost, ctx: Context): Promise<void> {
  const { nqn } = volume.target;
  try {
    await holds?.park(nqn, ctx);
    ctx.log.debug({}, "Parked a hold");
  } catch (error) {
    ctx.signal.throwIfAborted();
    ctx.log.warn(
      { error: String(error) },
      "Cannot park a hold: what waits in it takes a processor",
    );
  }
}
