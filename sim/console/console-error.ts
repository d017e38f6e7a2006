/**
 * A failure that RouterOS reports as text. `parse` errors refuse the whole line before any effect;
 * `run-time` errors keep the effects of the commands before, and `:onerror` catches them.
 */
export class ConsoleError extends Error {
  override readonly name = "ConsoleError";
  readonly stage: "parse" | "run-time";
  /** What `:parse` answers for this error, where that is more than its message. */
  readonly inspection: string;
  constructor(stage: "parse" | "run-time", message: string, inspection = message) {
    super(message);
    this.stage = stage;
    this.inspection = inspection;
  }
}
