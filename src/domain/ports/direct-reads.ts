import type { Context } from "#lib/context.ts";

/** Reads that no cache can answer. */
export interface DirectReads {
  /**
   * Reads the first block of a device, past the page cache, within a bound.
   * @throws {DriverError} `unavailable` when the device answers with an error, `deadline-exceeded` when it does not answer.
   */
  readDirect(device: string, ctx: Context): Promise<void>;
}
