import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { DriverError, type FailureKind } from "#domain/errors.ts";
import { failureStatus } from "./status.ts";

/** CSI spec, "Error Scheme", written down a second time. */
const expected: Record<FailureKind, number> = {
  "invalid-argument": 3,
  "not-found": 5,
  "already-exists": 6,
  "out-of-range": 11,
  "failed-precondition": 9,
  "resource-exhausted": 8,
  "operation-pending": 10,
  unavailable: 14,
  "unknown-outcome": 14,
  "deadline-exceeded": 4,
  "permission-denied": 7,
  unimplemented: 12,
  internal: 13,
};

test("failureStatus() gives every kind its code and keeps the words", () => {
  for (const [kind, code] of Object.entries(expected)) {
    const error = new DriverError(kind as FailureKind, 'Cannot grow "pvc-1": the pool is full');
    assert.deepEqual(failureStatus(error), {
      code,
      details: 'Cannot grow "pvc-1": the pool is full',
    });
  }
});

test("failureStatus() answers an unknown outcome with a code after which nothing is forgotten", () => {
  // external-provisioner: any other code lets it drop a volume that may exist.
  const notFinal: readonly number[] = [
    status.CANCELLED,
    status.DEADLINE_EXCEEDED,
    status.UNAVAILABLE,
    status.RESOURCE_EXHAUSTED,
    status.ABORTED,
  ];
  for (const kind of ["unknown-outcome", "deadline-exceeded", "operation-pending"] as const)
    assert.ok(notFinal.includes(failureStatus(new DriverError(kind, "")).code), kind);
});

test("failureStatus() withholds the text of errors that nobody foresaw: neither stacks nor addresses reach a pod's events (pitfall 44)", () => {
  for (const error of [new TypeError("password hunter2 of 192.0.2.7"), "hunter2", undefined]) {
    const { code, details } = failureStatus(error);
    assert.equal(code, status.INTERNAL);
    assert.equal(details, "Cannot answer the call: internal error, see the log of the driver");
  }
});

test("failureStatus() tells a caller that has gone from a time that has run out", async () => {
  const gone = new AbortController();
  gone.abort();
  assert.equal(failureStatus(gone.signal.reason).code, status.CANCELLED);
  const late = AbortSignal.timeout(1);
  const waited = await delay(1_000, undefined, { signal: late }).catch((error: unknown) => error);
  assert.equal(failureStatus(waited).code, status.DEADLINE_EXCEEDED);
  assert.equal(failureStatus(late.reason).code, status.DEADLINE_EXCEEDED);
});

test("failureStatus() looks through an AbortError to the failure that ended the wait", () => {
  const reason = new DriverError(
    "unavailable",
    'Cannot reach appliance "rds1": it is shutting down',
  );
  const error = new DOMException("The operation was aborted", {
    name: "AbortError",
    cause: reason,
  });
  assert.equal(failureStatus(error).details, reason.message);
});
