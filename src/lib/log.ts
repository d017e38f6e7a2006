/** Structured fields; names carry their unit (`durationMs`, `sizeBytes`). */
export type LogFields = Readonly<Record<string, unknown>>;

/** The part of a logger that the driver uses: the message is a constant sentence, facts are fields. */
export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  child(fields: LogFields): Log;
}

/** Says nothing; for tests and for commands that print for people. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
};
