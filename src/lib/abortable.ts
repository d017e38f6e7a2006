/**
 * Waits for `work`, at the longest until `signal` aborts. The work itself goes on unless it watches
 * the signal too; its late result or failure is dropped, never unhandled.
 * @throws the signal's reason when it aborts first.
 */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
