import assert from "node:assert/strict";
import { test } from "node:test";
import { withTimeout } from "./context.ts";
import { silentLog } from "./log.ts";

test("withTimeout() ends the context after its time", async () => {
  using limited = withTimeout({ signal: new AbortController().signal, log: silentLog }, 5);
  const { signal, log } = limited;
  assert.equal(signal.aborted, false);
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
  assert.equal(signal.reason.name, "TimeoutError");
  assert.equal(log, silentLog);
});

test("withTimeout() ends with its parent, for the parent's reason", () => {
  const parent = new AbortController();
  using limited = withTimeout({ signal: parent.signal, log: silentLog }, 60_000);
  parent.abort("gone");
  assert.equal(limited.signal.reason, "gone");
});
