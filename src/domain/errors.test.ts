import assert from "node:assert/strict";
import { test } from "node:test";
import { DriverError, isFailure } from "./errors.ts";

test("isFailure() tells foreseen failures of the given kinds from all else", () => {
  const error = new DriverError("not-found", 'Cannot find volume "a": it is not there');
  assert.equal(isFailure(error, "unavailable", "not-found"), true);
  assert.equal(isFailure(error, "unavailable"), false);
  assert.equal(isFailure(new Error("not-found"), "not-found"), false);
  assert.equal(isFailure({ kind: "not-found" }, "not-found"), false);
});

test("DriverError() keeps its kind and its cause", () => {
  const cause = new Error("socket closed");
  const error = new DriverError("unavailable", "Cannot reach the appliance: it is away", { cause });
  assert.equal(error.kind, "unavailable");
  assert.equal(error.cause, cause);
  assert.match(String(error), /^DriverError: Cannot reach/);
});
