import { reservedNames } from "#lib/reserved-names.ts";
import { digestOfName } from "./csi-name.ts";

/** The `slot` of a volume's `/disk` entry; unique on its appliance. */
export type Slot = string & { readonly __brand: "Slot" };

/** A CSI volume id, taken apart. */
export interface VolumeId {
  /** `undefined` stands for the default appliance, fixed by name in the configuration. */
  readonly appliance: string | undefined;
  readonly slot: Slot;
}

const slotPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const appliancePattern = /^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/;

/**
 * The slot for a CSI volume name: `pvc-` and 26 characters base32 of 128 bits, 30 in all, because one
 * source reports a slot limit of 32 on RouterOS 7.24 while `pvc-<uuid>` has 40.
 * @throws {DriverError} `invalid-argument` for an empty name, one over 128 bytes or with control characters.
 */
export function slotForName(name: string): Slot {
  return `pvc-${digestOfName(name, { thing: "volume", uuidPrefix: "pvc-" })}` as Slot;
}

/** Whether `name` may name an appliance in the configuration, and so prefix a volume id. */
export function isApplianceName(name: string): boolean {
  return appliancePattern.test(name) && !reservedNames.has(name);
}

/** `<name>` or `<appliance>/<name>`, taken apart; `undefined` for text that is neither. */
export function splitPrefix(
  text: string,
): { readonly appliance: string | undefined; readonly name: string } | undefined {
  const [first = "", second, ...rest] = text.split("/");
  if (rest.length > 0) return undefined;
  if (second === undefined) return { appliance: undefined, name: first };
  return isApplianceName(first) ? { appliance: first, name: second } : undefined;
}

/** The reverse of `splitPrefix()`. */
export function withPrefix(appliance: string | undefined, name: string): string {
  return appliance === undefined ? name : `${appliance}/${name}`;
}

/** `<slot>` or `<appliance>/<slot>`; `undefined` for text that cannot be an id of this driver. */
export function parseVolumeId(text: string): VolumeId | undefined {
  const id = splitPrefix(text);
  if (id === undefined || !slotPattern.test(id.name)) return undefined;
  return { appliance: id.appliance, slot: id.name as Slot };
}

/** The text form; what CreateVolume, ListVolumes and every other reply carry, byte for byte. */
export function formatVolumeId({ appliance, slot }: VolumeId): string {
  return withPrefix(appliance, slot);
}
