import type { VolumeUse } from "#domain/access-mode.ts";
import { DriverError } from "#domain/errors.ts";
import { contextKeys, retiredContextKeys, volumeContextOf } from "#domain/volume-parameters.ts";
import { commonAccess } from "./common-access.ts";
import { checkParameters, type Parameters } from "./storage-class.ts";

/** How the CO describes a volume that exists. */
export interface VolumeClaim {
  readonly uses: readonly VolumeUse[];
  /** Empty = not given. */
  readonly context: Parameters;
  /** Empty = not given. */
  readonly parameters: Parameters;
}

/**
 * Whether CreateVolume could have made such a volume.
 * @throws {DriverError} `invalid-argument` with the first reason why not.
 */
export function requireConsistent({ uses, context, parameters }: VolumeClaim): void {
  const access = commonAccess(uses);
  for (const key of Object.keys(context))
    if (!contextKeys.includes(key) && !retiredContextKeys.includes(key))
      throw refusal(`key "${key}" is unknown`);
  const known = volumeContextOf(context);
  checkParameters(known, access);
  checkParameters(parameters, access);
  const bothGiven = Object.keys(context).length > 0 && Object.keys(parameters).length > 0;
  if (bothGiven) requireEqual(known, volumeContextOf(parameters));
}

function requireEqual(context: Parameters, expected: Parameters): void {
  for (const key of contextKeys)
    if (context[key] !== expected[key])
      throw refusal(
        `${key} is ${describe(context[key])}, the parameters say ${describe(expected[key])}`,
      );
}

function describe(value: string | undefined): string {
  return value === undefined ? "missing" : `"${value}"`;
}

function refusal(reason: string): DriverError {
  return new DriverError("invalid-argument", `Cannot use the volume context: ${reason}`);
}
