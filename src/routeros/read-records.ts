import { DriverError } from "#domain/errors.ts";
import { type JsonRecord, readJson, recordsOf } from "./json.ts";

/**
 * The records of the lists that a line printed, one list after the other.
 * @param act - What could not be done when they cannot be read: `read volume "pvc-x"`.
 * @throws {DriverError} `unavailable`: what cannot be read is never taken for an empty list.
 */
export function readLists(output: string, count: number, act: string): JsonRecord[][] {
  try {
    return readJson(output, count).map(recordsOf);
  } catch (error) {
    const state = error instanceof Error ? error.message : String(error);
    throw new DriverError(
      "unavailable",
      `Cannot ${act}: RouterOS sent no readable reply, ${state}`,
      {
        cause: error,
      },
    );
  }
}

/**
 * As `readLists()`, behind a command that has had its effect.
 * @throws {DriverError} `unknown-outcome`: something may have changed, so the next try must look first.
 */
export function readBack(output: string, count: number, act: string): JsonRecord[][] {
  try {
    return readLists(output, count, act);
  } catch (error) {
    if (!(error instanceof DriverError)) throw error;
    throw new DriverError("unknown-outcome", error.message, { cause: error });
  }
}

/** The records of the one list that a line printed. @throws {DriverError} as `readLists()`. */
export function readRecords(output: string, act: string): JsonRecord[] {
  return readLists(output, 1, act).flat();
}
