import { ConsoleError } from "../console/console-error.ts";

/** What RouterOS answers when a command is well formed and cannot be carried out. */
export function failure(text: string): ConsoleError {
  return new ConsoleError("run-time", `failure: ${text}`);
}

/** A malformed value; RouterOS has no common prefix for these. */
export function invalidValue(argument: string): ConsoleError {
  return new ConsoleError("run-time", `invalid value for argument ${argument}`);
}

/** A word outside an enumeration, or a name that refers to nothing. */
export function noMatch(argument: string): ConsoleError {
  return new ConsoleError("run-time", `input does not match any value of ${argument}`);
}
