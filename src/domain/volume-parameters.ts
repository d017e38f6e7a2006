import { DriverError } from "./errors.ts";
import type { ConnectOptions } from "./nvme-target.ts";
import type { ReconnectPolicy } from "./reconnect.ts";

/** What a StorageClass decides for its volumes. */
export interface VolumeParameters {
  /** Name of the appliance; `undefined` = the default one. Stays in the controller. */
  readonly appliance: string | undefined;
  readonly connect: ConnectOptions;
  readonly reconnect: ReconnectPolicy;
  /** As written; `domain/mkfs-options.ts` takes it apart. */
  readonly mkfsOptions: string;
  /** How long two nodes may share a raw block volume, seconds. */
  readonly migrationTimeoutSeconds: number;
}

interface WholeNumber {
  readonly min: number;
  readonly max: number;
}

/** Limits are generous; they catch typing errors such as milliseconds for seconds. */
const numbers = {
  /** NVMe/TCP kernel behaviour: -1 = reconnect for ever. */
  ctrlLossTmo: { min: -1, max: 86_400 },
  reconnectDelay: { min: 1, max: 600 },
  keepAliveTmo: { min: 0, max: 600 },
  nrIoQueues: { min: 1, max: 128 },
  /** 0 = for ever; else up to a month. */
  ioHoldSeconds: { min: 0, max: 2_592_000 },
  migrationTimeoutSeconds: { min: 30, max: 3_600 },
} as const satisfies Record<string, WholeNumber>;

type NumberKey = keyof typeof numbers;

/** The first word of each is the default. */
const words = {
  reconnectMode: ["transparent", "remount"],
  onApplianceRestart: ["continue", "fail"],
} as const satisfies Record<string, readonly string[]>;

type WordKey = keyof typeof words;

/** Keys that a volume's context carries from CreateVolume to the node. */
export const contextKeys: readonly string[] = [
  ...Object.keys(numbers),
  ...Object.keys(words),
  "mkfsOptions",
];

/** Parameters this driver knows; everything else is refused where a StorageClass is read. */
export const parameterKeys: readonly string[] = ["appliance", ...contextKeys];

/**
 * Parameters of the driver before this one that StorageClasses in the field still carry. Accepted, so that
 * those go on working; without effect, because the configuration of the driver says these things now.
 */
export const retiredParameterKeys: readonly string[] =
  "rdsAddress nvmeAddress nvmePort volumePath sshPort fsType nqnPrefix basePath fsLabel".split(" ");

/** Keys in the context of volumes which that driver made. */
export const retiredContextKeys: readonly string[] =
  "rdsAddress nvmeAddress nvmePort volumePath nqn".split(" ");

/**
 * Reads StorageClass parameters or a volume context; keys it does not know are the caller's concern.
 * @throws {DriverError} `invalid-argument` naming the key and the value.
 */
export function parseVolumeParameters(given: Readonly<Record<string, string>>): VolumeParameters {
  return {
    appliance: given["appliance"],
    connect: {
      ctrlLossTmoSeconds: wholeNumber(given, "ctrlLossTmo") ?? -1,
      reconnectDelaySeconds: wholeNumber(given, "reconnectDelay") ?? 5,
      keepAliveTmoSeconds: wholeNumber(given, "keepAliveTmo") || undefined,
      nrIoQueues: wholeNumber(given, "nrIoQueues"),
    },
    reconnect: {
      mode: word(given, "reconnectMode"),
      ioHoldSeconds: wholeNumber(given, "ioHoldSeconds") || undefined,
      onApplianceRestart: word(given, "onApplianceRestart"),
    },
    mkfsOptions: given["mkfsOptions"] ?? "",
    migrationTimeoutSeconds: wholeNumber(given, "migrationTimeoutSeconds") ?? 300,
  };
}

/** The part of the StorageClass parameters that travels with the volume. */
export function volumeContextOf(given: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(given).filter(([key]) => contextKeys.includes(key)));
}

function wholeNumber(given: Readonly<Record<string, string>>, key: NumberKey): number | undefined {
  const { min, max } = numbers[key];
  const text = given[key];
  if (text === undefined) return undefined;
  const value = /^-?\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new DriverError(
    "invalid-argument",
    `Cannot use parameter ${key}="${text}": expected a whole number from ${min} to ${max}`,
  );
}

function word<Key extends WordKey>(
  given: Readonly<Record<string, string>>,
  key: Key,
): (typeof words)[Key][number] {
  const allowed: readonly (typeof words)[Key][number][] = words[key];
  const text = given[key];
  const found = text === undefined ? allowed[0] : allowed.find((known) => known === text);
  if (found !== undefined) return found;
  throw new DriverError(
    "invalid-argument",
    `Cannot use parameter ${key}="${text}": expected "${allowed.join('" or "')}"`,
  );
}
