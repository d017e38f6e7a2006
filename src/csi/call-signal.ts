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
  const onCancelled = () => controller.abort(reasonFor(call));
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

function reasonFor(call: AnyCall): DOMException {
  const late = Date.now() >= Number(call.getDeadline());
  return late
    ? new DOMException("The deadline of the call has passed", "TimeoutError")
    : new DOMException("The caller has gone", "AbortError");
}
