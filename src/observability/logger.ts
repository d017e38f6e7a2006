import pino, { type DestinationStream, type Logger } from "pino";
import type { Log, LogFields } from "#lib/log.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

/**
 * JSON lines on stdout, written synchronously: the last line before an end is the one that is needed.
 * Times are ISO 8601 in UTC, levels are words, and errors stand in `err` with their stack and causes.
 */
export function createLogger(level: LogLevel, destination: DestinationStream = stdout()): Log {
  const logger = pino(
    {
      level,
      base: null,
      messageKey: "message",
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  return new PinoLog(logger);
}

function stdout(): DestinationStream {
  return pino.destination({ dest: 1, sync: true });
}

class PinoLog implements Log {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  debug(fields: LogFields, message: string): void {
    this.#logger.debug(fields, message);
  }

  info(fields: LogFields, message: string): void {
    this.#logger.info(fields, message);
  }

  warn(fields: LogFields, message: string): void {
    this.#logger.warn(fields, message);
  }

  error(fields: LogFields, message: string): void {
    this.#logger.error(fields, message);
  }

  child(fields: LogFields): Log {
    return new PinoLog(this.#logger.child(fields));
  }
}
