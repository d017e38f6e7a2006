import type { Context } from "#lib/context.ts";
import { silentLog } from "#lib/log.ts";

/** A context that never ends and says nothing, unless told otherwise. */
export function testContext(overrides: Partial<Context> = {}): Context {
  return { signal: new AbortController().signal, log: silentLog, ...overrides };
}
