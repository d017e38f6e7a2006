import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

/** Runs `code` in a process whose stray errors are watched, with the real logger. */
function watched(code: string) {
  const [strays, logger] = ["./strays.ts", "../observability/logger.ts"].map((path) =>
    JSON.stringify(new URL(path, import.meta.url)),
  );
  const script = `
    const { watchStrays } = await import(${strays});
    const { createLogger } = await import(${logger});
    watchStrays(createLogger("info"));
    ${code}`;
  const args = ["--input-type=module", "-e", script];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: "utf8" });
  const lines = stdout.split("\n").filter((line) => line !== "");
  return { status, lines: lines.map((line) => JSON.parse(line)) };
}

test("watchStrays() logs a rejection that nobody heard, and the process goes on", () => {
  const { status, lines } = watched(`
    Promise.reject(new TypeError("lost"));
    setTimeout(() => process.exit(7), 20);`);
  assert.equal(status, 7);
  assert.equal(lines[0].message, "A promise was rejected unheard");
  assert.match(lines[0].err.stack, /TypeError: lost/);
});

test("watchStrays() logs an uncaught exception before the process ends with 1", () => {
  const { status, lines } = watched(`setTimeout(() => { throw new TypeError("broken"); });`);
  assert.equal(status, 1);
  assert.equal(lines[0].message, "Ending after an exception that nobody caught");
  assert.match(lines[0].err.stack, /TypeError: broken/);
});
