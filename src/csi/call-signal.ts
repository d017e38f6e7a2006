import type { ServerUnaryCall } from "@grpc/grpc-js";

/** Ends when the caller cancels, disconnects, its deadline passes, or the server stops. */
export interface CallSignal extends Disposable {
  readonly signal: AbortSignal;
}

type AnyCall = Pick<ServerUnaryCall<unknown, unknown>, "once" | "off" | "getDeadline">;

/**
 * The signal of a call, with a `TimeoutError` as its reason after the deadline, the reason of `stop`, or else
 * an `AbortError`. Disposing it lets go of the call: grpc-js says "cancelled" after every answer, also a good one.
 */
export function callSignal(call: AnyCall, stop: AbortSignal): CallSignal {
  const controller = new AbortController();
  const deadline = deadlineOf(call);
  const onCancelled = () => controller.abort(reasonFor(deadline));
  const onStop = () => controller.abort(stop.reason);
  call.once("cancelled", onCancelled);
  stop.addEventListener("abort", onStop);
  if (stop.aborted) onStop();
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      call.off("cancelled", onCancelled);
      stop.removeEventListener("abort", onStop);
    },
  };
}

/** As `performance.now()` will show it: grpc-js tells a date, in whole milliseconds, and waits by a timer. */
function deadlineOf(call: AnyCall): number {
  return performance.now() + Number(call.getDeadline()) - Date.now() - 1;
}

function reasonFor(deadline: number): DOMException {
  return performance.now() >= deadline
    ? new DOMException("The deadline of the call has passed", "TimeoutError")
    : new DOMException("The caller has gone", "AbortError");
}
