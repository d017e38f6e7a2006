import { ConsoleError } from "#sim/console/console-error.ts";

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

/** What Btrfs answered, passed on as it is (RouterOS manual: `BTRFS_IOC_… failed: …`). */
export function ioctlFailure(ioctl: string, reason: string): ConsoleError {
  return new ConsoleError("run-time", `BTRFS_IOC_${ioctl} failed: ${reason}`);
}

/** Makes what `task` throws a refusal of the whole line, as for values that stand in the line as such. */
export function atParse(task: () => void): void {
  try {
    task();
  } catch (error) {
    throw error instanceof ConsoleError ? new ConsoleError("parse", error.message) : error;
  }
}
