import type { BlockAccess, MountAccess } from "#domain/access-mode.ts";
import { DriverError } from "#domain/errors.ts";
import { mkfsOptions } from "#domain/mkfs-options.ts";
import type { Appliance, Appliances } from "#domain/ports/appliances.ts";
import {
  parameterKeys,
  parseVolumeParameters,
  retiredParameterKeys,
} from "#domain/volume-parameters.ts";
import type { VolumeTag } from "#domain/volume-tag.ts";

/** Set by the external-provisioner, not by the author of a StorageClass. */
const provisionerPrefix = "csi.storage.k8s.io/";

export type Parameters = Readonly<Record<string, string>>;

/**
 * Checks every parameter of a StorageClass.
 * @param access - `undefined` = not known; then mkfsOptions are not looked at, as for raw block volumes.
 * @throws {DriverError} `invalid-argument` naming the key.
 */
export function checkParameters(given: Parameters, access: BlockAccess | MountAccess | undefined) {
  for (const key of Object.keys(given)) requireKnown(key);
  const parameters = parseVolumeParameters(given);
  if (access?.type === "mount") mkfsOptions(parameters.mkfsOptions, access.fsType);
}

function requireKnown(key: string): void {
  if (parameterKeys.includes(key) || retiredParameterKeys.includes(key)) return;
  if (key.startsWith(provisionerPrefix)) return;
  throw new DriverError(
    "invalid-argument",
    `Cannot use parameter "${key}": it is unknown, known are ${parameterKeys.join(", ")}`,
  );
}

/** Those which have no effect any more. */
export function retiredParameters(given: Parameters): string[] {
  return Object.keys(given).filter((key) => retiredParameterKeys.includes(key));
}

/** @throws {DriverError} `invalid-argument` naming the appliances there are. */
export function chosenAppliance(given: Parameters, appliances: Appliances): Appliance {
  const name = given["appliance"];
  const appliance = appliances.find(name);
  if (appliance !== undefined) return appliance;
  const known = appliances.all().map((one) => `"${one.name}"`);
  throw new DriverError(
    "invalid-argument",
    `Cannot use parameter appliance="${name ?? ""}": configured are ${known.join(", ")}`,
  );
}

/**
 * For whom a volume is made, as far as the external-provisioner tells (`--extra-create-metadata`).
 * @throws {DriverError} `invalid-argument` for a name that is none in Kubernetes.
 */
export function originOf(given: Parameters): Pick<VolumeTag, "pv" | "pvc"> {
  const namespace = nameIn(given, "pvc/namespace");
  const claim = nameIn(given, "pvc/name");
  return { pv: nameIn(given, "pv/name"), pvc: namespace && claim && `${namespace}/${claim}` };
}

function nameIn(given: Parameters, suffix: string): string | undefined {
  const key = `${provisionerPrefix}${suffix}`;
  const name = given[key];
  if (name === undefined || /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) return name;
  throw new DriverError("invalid-argument", `Cannot use parameter ${key}="${name}": not a name`);
}
