import { DriverError } from "#domain/errors.ts";
import type { Context } from "#lib/context.ts";
import type { KeyedMutex } from "#lib/keyed-mutex.ts";

/** One CSI call: check, translate in, act, translate out. Failures are thrown as DriverError. */
export type Handler<Request, Response> = (request: Request, ctx: Context) => Promise<Response>;

/**
 * Lets one call at a time through per key. Others are answered ABORTED at once, as the CSI spec's
 * "Error Scheme" foresees: the CO waits and tries again.
 */
export function oneAtATime<Request, Response>(
  locks: KeyedMutex,
  keyOf: (request: Request) => string,
  handler: Handler<Request, Response>,
  thing: "volume" | "snapshot" = "volume",
): Handler<Request, Response> {
  return async (request, ctx) => {
    const key = keyOf(request);
    using lock = locks.tryAcquire(key);
    if (lock === undefined)
      throw new DriverError(
        "operation-pending",
        `Cannot act on ${thing} "${key}": another call for it is under way`,
      );
    return await handler(request, ctx);
  };
}
