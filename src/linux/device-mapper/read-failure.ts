import { DriverError } from "#domain/errors.ts";
import { toolFailure } from "../tool-failure.ts";
import { saysAbsent } from "./dmsetup.ts";

/** What to throw when a hold's report could not be had, or is none (`SyntaxError`). @param act - "Cannot <act> <object>". */
export function readFailure(act: string, error: unknown): unknown {
  if (error instanceof SyntaxError)
    return new DriverError("internal", `${act}: ${error.message}`, { cause: error });
  return saysAbsent(error)
    ? new DriverError("not-found", `${act}: there is none`, { cause: error })
    : toolFailure(act, error, "unavailable");
}
