import assert from "node:assert/strict";
import { test } from "node:test";
import { Secret } from "#lib/secret.ts";
import { createLogger, type LogLevel } from "./logger.ts";

function recording(level: LogLevel) {
  const lines: string[] = [];
  const log = createLogger(level, { write: (line) => void lines.push(line) });
  return { log, parsed: () => lines.map((line) => JSON.parse(line)), lines };
}

test("createLogger() writes one JSON object per line, with words for levels", () => {
  const { log, parsed } = recording("debug");
  log.debug({ step: 1 }, "Looking");
  log.info({}, "Found");
  log.warn({}, "Doubting");
  log.error({}, "Failing");
  const [first, ...rest] = parsed();
  assert.match(first.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  delete first.time;
  assert.deepEqual(first, { level: "debug", step: 1, message: "Looking" });
  assert.deepEqual(
    rest.map(({ level }) => level),
    ["info", "warn", "error"],
  );
});

test("createLogger() leaves out what is below its level, and does not even look at it", () => {
  const { log, lines } = recording("info");
  const costly = { toJSON: () => assert.fail("serialised for nothing") };
  log.child({ rpc: "Probe" }).debug({ request: costly }, "Call received");
  assert.deepEqual(lines, []);
});

test("createLogger().child() binds its fields to every line", () => {
  const { log, parsed } = recording("info");
  log.child({ rpc: "CreateVolume" }).child({ callId: 7 }).info({ code: "OK" }, "Call answered");
  const [{ rpc, callId, code, message }] = parsed();
  assert.deepEqual([rpc, callId, code, message], ["CreateVolume", 7, "OK", "Call answered"]);
});

test("createLogger() tells errors with stack and cause", () => {
  const { log, parsed } = recording("info");
  log.error({ err: new Error("outer", { cause: new TypeError("inner") }) }, "Call failed");
  const [{ err }] = parsed();
  assert.match(err.stack, /outer[\s\S]*logger\.test\.ts[\s\S]*inner/);
});

test("createLogger() never prints a Secret, wherever it stands", () => {
  const { log, lines } = recording("info");
  const secret = new Secret("hunter2");
  const err = Object.assign(new Error("oops"), { key: secret });
  log.child({ secret }).info({ secret, nested: { list: [secret] }, err }, "Leaking");
  assert.doesNotMatch(lines.join(), /hunter2/);
  assert.match(lines.join(), /\[redacted\]/);
});
