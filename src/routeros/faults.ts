import { DriverError, type FailureKind } from "#domain/errors.ts";

/** Why RouterOS refused, as far as its words tell. */
export type FaultType =
  | "not-found"
  | "already-exists"
  | "no-space"
  | "denied"
  | "unsupported"
  | "busy"
  /** A value that RouterOS does not take: often the name of something that is no longer there. */
  | "rejected"
  | "other";

/** A refusal that RouterOS reported: earlier commands of the line have had their effect, later ones not. */
export interface Fault {
  readonly type: FaultType;
  /** RouterOS' own words. */
  readonly text: string;
}

/** `… (line 1 column 10)`: the parser refused the whole line, nothing of it was run. */
const parseError = /\(line \d+ column \d+\)/;

/**
 * Wordings differ between versions; the first match decides. Sources: RouterOS manual, observed on
 * RouterOS 7.18 to 7.24; the texts for a full file system were never captured, so several are accepted.
 */
const wordings: readonly (readonly [RegExp, FaultType])[] = [
  [parseError, "unsupported"],
  [/not enough permissions|not allowed/i, "denied"],
  [/no(t enough)? space|no space left|disk (is )?full|quota/i, "no-space"],
  [/already (have|exists)|with such name|file exists/i, "already-exists"],
  [/no such (item|file|directory)|not found|does not exist/i, "not-found"],
  [/in use|busy|could not unmount|timeout|interrupted|action cancelled/i, "busy"],
  [/input does not match|invalid value|expected |missing value/i, "rejected"],
];

export function faultOf(text: string): Fault {
  const [, type] = wordings.find(([pattern]) => pattern.test(text)) ?? [undefined, "other"];
  return { type, text };
}

/** Whether `text` is nothing but the parser's refusal of a line. */
export function isParseError(text: string): boolean {
  const line = text.trim();
  return /^[^[{\r\n]{1,300}$/.test(line) && /\(line \d+ column \d+\)\)?$/.test(line);
}

const kinds = {
  "not-found": "not-found",
  "already-exists": "already-exists",
  "no-space": "resource-exhausted",
  denied: "permission-denied",
  unsupported: "failed-precondition",
  busy: "unavailable",
  rejected: "failed-precondition",
  other: "internal",
} as const satisfies Record<FaultType, FailureKind>;

/** What an operator can do about it, where RouterOS' words alone do not tell. */
const hints: Partial<Record<FaultType, string>> = {
  denied: "; the user's group needs the policies ssh, read, write and test",
  unsupported: "; RouterOS 7.21 or later with the storage package is needed",
};

/** Where nothing is mounted nothing shows, and that proves nothing. */
export function noPool(act: string, { mountPoint }: { readonly mountPoint: string }): DriverError {
  return new DriverError("unavailable", `Cannot ${act}: no disk is mounted at "${mountPoint}"`);
}

/** @param act - What could not be done: `create volume "pvc-x" on appliance "rds1"`. */
export function faultError(act: string, { type, text }: Fault): DriverError {
  return new DriverError(kinds[type], `Cannot ${act}: RouterOS says "${text}"${hints[type] ?? ""}`);
}
