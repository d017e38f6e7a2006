import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { systemClock } from "./clock.ts";

test("systemClock.elapsed() counts on in another process, in milliseconds", async () => {
  const before = systemClock.elapsed();
  const say = `import(${JSON.stringify(new URL("clock.ts", import.meta.url))}).then((m) => console.log(m.systemClock.elapsed()))`;
  const between = Number(execFileSync(process.execPath, ["-e", say], { encoding: "utf8" }));
  const after = systemClock.elapsed();
  assert.ok(before < between && between < after, `${before} < ${between} < ${after}`);
  const started = performance.now();
  await systemClock.sleep(20, new AbortController().signal);
  const expected = performance.now() - started;
  const took = systemClock.elapsed() - after;
  assert.ok(took > expected - 2 && took < expected + 1_000, `${took} ms, expected ${expected}`);
});

test("systemClock.sleep() waits as long as it is told", async () => {
  const before = performance.now();
  await systemClock.sleep(20, new AbortController().signal);
  assert.ok(performance.now() - before >= 19);
});

test("systemClock.sleep() throws the signal's reason when that ends the wait", async () => {
  const reason = new Error("shutting down");
  const aborter = new AbortController();
  const sleeping = systemClock.sleep(60_000, aborter.signal);
  aborter.abort(reason);
  await assert.rejects(sleeping, (error) => error === reason);
  await assert.rejects(systemClock.sleep(0, aborter.signal), (error) => error === reason);
});
