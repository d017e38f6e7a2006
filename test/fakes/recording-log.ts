import type { Log, LogFields } from "#lib/log.ts";

export interface LogRecord {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly fields: LogFields;
}

/** Keeps what was said; children write into the same list. */
export class RecordingLog implements Log {
  readonly records: LogRecord[];
  readonly #bound: LogFields;

  constructor(bound: LogFields = {}, records: LogRecord[] = []) {
    this.#bound = bound;
    this.records = records;
  }

  debug(fields: LogFields, message: string): void {
    this.#add("debug", fields, message);
  }
  info(fields: LogFields, message: string): void {
    this.#add("info", fields, message);
  }
  warn(fields: LogFields, message: string): void {
    this.#add("warn", fields, message);
  }
  error(fields: LogFields, message: string): void {
    this.#add("error", fields, message);
  }
  child(fields: LogFields): Log {
    return new RecordingLog({ ...this.#bound, ...fields }, this.records);
  }

  #add(level: LogRecord["level"], fields: LogFields, message: string): void {
    this.records.push({ level, message, fields: { ...this.#bound, ...fields } });
  }
}
