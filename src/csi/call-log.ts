import { status } from "@grpc/grpc-js";
import type { Log, LogFields } from "#lib/log.ts";

/** How a call ended. */
export interface CallOutcome {
  readonly code: status;
  /** Milliseconds from the complete request to the answer. */
  readonly durationMs: number;
  /** What the handler threw. */
  readonly error?: unknown;
}

/** The fields of a request by which an operator searches the log. */
const subjects = ["volumeId", "snapshotId", "sourceVolumeId", "nodeId", "name"] as const;

/** Calls that change nothing; they come all the time. */
const reads = /^(Get|List|Validate|Probe|ControllerGet|NodeGet)/;

/** What a request is about, as fields for every line of its call. */
export function subjectFields(request: unknown): LogFields {
  if (typeof request !== "object" || request === null) return {};
  const given = new Map<string, unknown>(Object.entries(request));
  return Object.fromEntries(
    subjects.map((key) => [key, given.get(key)]).filter(([, value]) => value !== "" && value),
  );
}

/** The one line that every call leaves: `info` for changes, `debug` for reads, louder for failures. */
export function logOutcome(log: Log, rpc: string, outcome: CallOutcome): void {
  const { code, durationMs, error } = outcome;
  const fields = { code: status[code], durationMs };
  if (code === status.OK && reads.test(rpc)) log.debug(fields, "Call answered");
  else if (code === status.OK) log.info(fields, "Call answered");
  else if (code === status.INTERNAL) log.error({ ...fields, err: error }, "Call failed");
  else log.warn({ ...fields, ...reasonFields(error) }, "Call refused");
}

/** A foreseen failure explains itself; its stack would only bury the sentence. */
function reasonFields(error: unknown): LogFields {
  if (!(error instanceof Error)) return { reason: String(error) };
  const { message, cause } = error;
  return cause === undefined
    ? { reason: message }
    : { reason: message, cause: cause instanceof Error ? cause.message : String(cause) };
}
