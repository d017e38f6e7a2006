import type { Context } from "#lib/context.ts";
import { DriverError } from "../errors.ts";

/** Reads that no cache can answer. */
export interface DirectReads {
  /**
   * Reads the first block of a device, past the page cache, within a bound.
   * @throws {DriverError} `unavailable` when the device answers with an error, or late; {@link NoAnswer} when it does not answer.
   */
  readDirect(device: string, ctx: Context): Promise<void>;
}

/** One read of a device has not been answered in all this time; asked again, the same one. */
export class NoAnswer extends DriverError {
  readonly silentMs: number;

  constructor(message: string, silentMs: number, options?: ErrorOptions) {
    super("deadline-exceeded", message, options);
    this.silentMs = silentMs;
  }
}
