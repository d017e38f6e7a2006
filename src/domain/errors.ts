/** Every way in which the driver can refuse or fail. `csi/status.ts` maps each to one gRPC code. */
export type FailureKind =
  | "invalid-argument"
  | "not-found"
  | "already-exists"
  | "out-of-range"
  | "failed-precondition"
  | "resource-exhausted"
  /** Another call for the same volume is under way. */
  | "operation-pending"
  /** The appliance or a device cannot be reached now; trying again may help. */
  | "unavailable"
  /** The call ended before an outcome was known; the next try reads the state first. */
  | "unknown-outcome"
  | "deadline-exceeded"
  | "permission-denied"
  | "unimplemented"
  | "internal";

/** A failure the driver foresaw. Anything else that is thrown is a bug. */
export class DriverError extends Error {
  override readonly name = "DriverError";
  readonly kind: FailureKind;
  /** @param message - "Cannot <act> <object>: <state>", for an operator; no secrets, no stack traces. */
  constructor(kind: FailureKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** Whether `error` is a foreseen failure of one of these kinds. */
export function isFailure(error: unknown, ...kinds: readonly FailureKind[]): error is DriverError {
  return error instanceof DriverError && kinds.includes(error.kind);
}
