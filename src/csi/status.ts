import { status } from "@grpc/grpc-js";
import { DriverError, type FailureKind } from "#domain/errors.ts";

/**
 * The driver's only map from failures to gRPC. Source: CSI spec, "Error Scheme".
 * Two choices matter beyond the table: an unknown outcome must be one of the codes after which the
 * external-provisioner assumes that a volume may exist (UNAVAILABLE is), or a deleted PVC would leak it;
 * and a missing right on the appliance is the one thing the spec reserves PERMISSION_DENIED for.
 */
const codeOf = {
  "invalid-argument": status.INVALID_ARGUMENT,
  "not-found": status.NOT_FOUND,
  "already-exists": status.ALREADY_EXISTS,
  "out-of-range": status.OUT_OF_RANGE,
  "failed-precondition": status.FAILED_PRECONDITION,
  "resource-exhausted": status.RESOURCE_EXHAUSTED,
  "operation-pending": status.ABORTED,
  unavailable: status.UNAVAILABLE,
  "unknown-outcome": status.UNAVAILABLE,
  "deadline-exceeded": status.DEADLINE_EXCEEDED,
  "permission-denied": status.PERMISSION_DENIED,
  unimplemented: status.UNIMPLEMENTED,
  internal: status.INTERNAL,
} as const satisfies Record<FailureKind, status>;

/** What a failed call is answered with. */
export interface FailureStatus {
  readonly code: status;
  readonly details: string;
}

/** The same words for every bug: Kubernetes counts equal events instead of listing them one by one. */
const bug: FailureStatus = {
  code: status.INTERNAL,
  details: "Cannot answer the call: internal error, see the log of the driver",
};

/** Translates whatever a handler threw. Text of errors that nobody foresaw stays in the log. */
export function failureStatus(error: unknown): FailureStatus {
  if (error instanceof DriverError) return { code: codeOf[error.kind], details: error.message };
  if (isNamed(error, "TimeoutError"))
    return {
      code: status.DEADLINE_EXCEEDED,
      details: "Cannot finish the call: its time has run out",
    };
  if (isNamed(error, "AbortError")) return abortStatus(error);
  return bug;
}

/** Node's own functions wrap the reason of a signal into the cause of an AbortError. */
function abortStatus(error: Error): FailureStatus {
  const reason = error.cause;
  if (reason instanceof DriverError || isNamed(reason, "TimeoutError"))
    return failureStatus(reason);
  return { code: status.CANCELLED, details: "Cannot finish the call: the caller has gone" };
}

function isNamed(error: unknown, name: string): error is Error {
  return error instanceof Error && error.name === name;
}
