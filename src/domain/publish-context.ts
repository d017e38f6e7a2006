import { isHostAddress } from "#lib/host-address.ts";
import { DriverError } from "./errors.ts";
import { isNqn } from "./nqn.ts";
import type { NvmeTarget } from "./nvme-target.ts";

/** What ControllerPublishVolume tells the node about this attachment. */
export interface PublishContext {
  readonly target: NvmeTarget;
  /** A smaller device is not the volume, or not all of it. */
  readonly minSizeBytes: number;
  /** What the volume was copied from, a snapshot or a volume: another file system with the same UUID may be about. */
  readonly source?: string;
}

const keys = {
  addresses: "nvmeAddress",
  port: "nvmePort",
  nqn: "nqn",
  minSizeBytes: "minSizeBytes",
  source: "source",
} as const;

/** The text form in which the CO carries it from the controller to the node. */
export function encodePublishContext({ target, minSizeBytes, source }: PublishContext): {
  [key: string]: string;
} {
  return {
    [keys.addresses]: target.addresses.join(","),
    [keys.port]: String(target.port),
    [keys.nqn]: target.nqn,
    [keys.minSizeBytes]: String(minSizeBytes),
    ...(source !== undefined && { [keys.source]: source }),
  };
}

/**
 * Reads what `encodePublishContext` wrote; keys it does not know are passed over.
 * @throws {DriverError} `invalid-argument` naming the first field that is missing or wrong, and its value.
 */
export function decodePublishContext(given: Readonly<Record<string, string>>): PublishContext {
  const addresses = field(given, keys.addresses).split(",");
  if (!addresses.every(isHostAddress)) throw unusable(given, keys.addresses, "host addresses");
  const nqn = field(given, keys.nqn);
  if (!isNqn(nqn)) throw unusable(given, keys.nqn, "an NQN");
  const port = wholeNumber(given, keys.port, 65_535);
  const minSizeBytes = wholeNumber(given, keys.minSizeBytes, Number.MAX_SAFE_INTEGER);
  const source = given[keys.source];
  return {
    target: { nqn, addresses, port },
    minSizeBytes,
    ...(source !== undefined && source !== "" && { source }),
  };
}

function field(given: Readonly<Record<string, string>>, key: string): string {
  const value = given[key];
  if (value !== undefined && value !== "") return value;
  throw new DriverError(
    "invalid-argument",
    `Cannot use the publish context: "${key}" is missing, so the volume was not published by this driver`,
  );
}

function wholeNumber(given: Readonly<Record<string, string>>, key: string, max: number): number {
  const text = field(given, key);
  const value = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value <= max) return value;
  throw unusable(given, key, `a whole number from 1 to ${max}`);
}

function unusable(
  given: Readonly<Record<string, string>>,
  key: string,
  expected: string,
): DriverError {
  return new DriverError(
    "invalid-argument",
    `Cannot use the publish context: ${key}="${given[key]}" is not ${expected}`,
  );
}
