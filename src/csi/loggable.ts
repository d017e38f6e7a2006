import { secretFields } from "./gen/secret-fields.ts";

/** By name and at any depth: it may hide too much, and never too little. */
const secretNames: ReadonlySet<string> = new Set(
  Object.values(secretFields).flatMap((fields) => [...fields]),
);

/** Lists longer than this are cut in the log: ListVolumes may carry thousands of entries. */
const longestList = 20;

/**
 * A CSI message as it may be logged: fields that the schema marks `csi_secret` are redacted.
 * The copy is made only if the line is written, because loggers call `toJSON` last.
 */
export function loggable(message: unknown): { toJSON(): unknown } {
  return { toJSON: () => withoutSecrets(message) };
}

function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return shortened(value);
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [
      key,
      secretNames.has(key) ? redacted(field) : withoutSecrets(field),
    ]),
  );
}

function shortened(list: readonly unknown[]): unknown[] {
  const shown = list.slice(0, longestList).map(withoutSecrets);
  return list.length > longestList ? [...shown, `… ${list.length - longestList} more`] : shown;
}

/** That a secret was given is worth knowing; its keys are not ours to tell either. */
function redacted(field: unknown): string | undefined {
  const empty = typeof field === "object" && field !== null && Object.keys(field).length === 0;
  return field === undefined || empty ? undefined : "[redacted]";
}
