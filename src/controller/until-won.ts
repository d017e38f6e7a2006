import { DriverError } from "#domain/errors.ts";

const maxTries = 3;

/**
 * Reads, decides and changes, and does so again when another controller was faster.
 * @param attempt - `undefined` = somebody else changed the volume between its reading and its change.
 * @throws {DriverError} `operation-pending` when that happens three times in a row.
 */
export async function untilWon<T>(
  volumeId: string,
  attempt: () => Promise<T | undefined>,
): Promise<T> {
  for (let tries = 0; tries < maxTries; tries++) {
    const result = await attempt();
    if (result !== undefined) return result;
  }
  throw new DriverError(
    "operation-pending",
    `Cannot change volume "${volumeId}": somebody else changed it first, ${maxTries} times in a row`,
  );
}
