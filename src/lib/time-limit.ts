/** A signal for one piece of work. Disposing it, when the work has ended, leaves neither timer nor listener. */
export interface TimeLimit extends Disposable {
  /** Ends with the first of the parents, for its reason, or with a `TimeoutError` when the time is up. */
  readonly signal: AbortSignal;
  /** Whether it was the time that ended the signal. */
  readonly passed: boolean;
}

/**
 * Bounds work by time and by the signals of those who wait for it. `AbortSignal.timeout` and `AbortSignal.any`
 * would do, but what they make lives on until the time is up: under load thousands of them pile up.
 */
export function timeLimit(milliseconds: number, ...parents: readonly AbortSignal[]): TimeLimit {
  const controller = new AbortController();
  let passed = false;
  const onTime = () => {
    passed = !controller.signal.aborted;
    const message = `It took longer than ${milliseconds} ms`;
    controller.abort(new DOMException(message, "TimeoutError"));
  };
  const timer = setTimeout(onTime, milliseconds).unref();
  const end = () => controller.abort(parents.find(({ aborted }) => aborted)?.reason);
  for (const parent of parents) parent.addEventListener("abort", end);
  if (parents.some(({ aborted }) => aborted)) end();
  return {
    signal: controller.signal,
    get passed() {
      return passed;
    },
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      for (const parent of parents) parent.removeEventListener("abort", end);
    },
  };
}
