import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { EventEmitter } from "node:events";
import test from "node:test";
import { collectOutput } from "./exec-output.ts";

/** Stops the whole event loop, as a host without a free processor does. */
function stall(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

test("collectOutput() reads what was said while this process was held up, before it gives a pipe up", async () => {
  const writer = spawn("sh", ["-c", "sleep 0.2; echo hello; exec sleep 5"]);
  const { stdout, stderr } = writer;
  // Its end is known before its words are read, and somebody keeps the pipe open.
  const child = Object.assign(new EventEmitter(), {
    ...{ stdout, stderr, exitCode: 0, signalCode: null },
  });
  const output = collectOutput(child, () => {});
  child.emit("exit");
  stall(900);
  try {
    assert.equal((await output).stdout, "hello\n");
  } finally {
    writer.kill("SIGKILL");
  }
});
