import { DriverError, type FailureKind } from "#domain/errors.ts";
import { ExecError } from "./exec-error.ts";

/**
 * What to throw when a tool could not do its part; anything but an `ExecError` is handed through.
 * @param act - "Cannot <act> <object>", for the operator.
 * @param kind - For a tool that ran and failed.
 */
export function toolFailure(act: string, error: unknown, kind: FailureKind): unknown {
  if (!(error instanceof ExecError)) return error;
  const message = `${act}: ${error.file} ${error.reason}`;
  if (error.aborted) return new DriverError("deadline-exceeded", message, { cause: error });
  if (error.timedOut) return new DriverError("unavailable", message, { cause: error });
  if (error.notInstalled) return new DriverError("failed-precondition", message, { cause: error });
  return new DriverError(kind, message, { cause: error });
}
