import { DriverError } from "#domain/errors.ts";
import type { Appliance, Appliances } from "#domain/ports/appliances.ts";

/**
 * The appliance whose ids bear this prefix.
 * @param thing - For messages: `volume "pvc-a"`.
 * @throws {DriverError} `failed-precondition` for an appliance that is not configured: what is on it, nobody
 * can tell now, and "gone" would be a lie.
 */
export function applianceOfId(
  prefix: string | undefined,
  appliances: Appliances,
  thing: string,
): Appliance {
  const appliance = appliances.find(prefix);
  // The default appliance has ids without its name only: one thing must not answer to two ids.
  if (appliance !== undefined && appliance.idPrefix === prefix) return appliance;
  const shown = prefix === undefined ? "no prefix" : `prefix "${prefix}"`;
  throw new DriverError(
    "failed-precondition",
    `Cannot use ${thing}: no configured appliance has ids with ${shown}`,
  );
}
