import assert from "node:assert/strict";
import test from "node:test";
import { DriverError } from "#domain/errors.ts";
import { ExecError, type ExecFailure } from "./exec-error.ts";
import { toolFailure } from "./tool-failure.ts";

const cases: readonly (readonly [string, ExecFailure, string])[] = [
  ["ran and failed", { reason: "failed with exit code 1", exitCode: 1 }, "internal"],
  ["hung", { reason: "did not end within 5 s", timedOut: true }, "unavailable"],
  ["was ended with the call", { reason: "was ended", aborted: true }, "deadline-exceeded"],
  ["is not installed", { reason: "is not installed", notInstalled: true }, "failed-precondition"],
];

for (const [what, failure, kind] of cases)
  test(`toolFailure() of a tool that ${what} is ${kind}`, () => {
    const cause = new ExecError("mount", failure);
    const error = toolFailure('Cannot mount "/dev/x"', cause, "internal");
    assert.ok(error instanceof DriverError);
    assert.equal(error.kind, kind);
    assert.equal(error.message, `Cannot mount "/dev/x": mount ${failure.reason}`);
    assert.equal(error.cause, cause);
  });

test("toolFailure() hands through what is not about a tool", () => {
  const bug = new TypeError("a bug");
  assert.equal(toolFailure("Cannot mount", bug, "internal"), bug);
});
