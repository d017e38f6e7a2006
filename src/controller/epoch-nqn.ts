import { DriverError } from "#domain/errors.ts";
import { type Nqn, nqnFor } from "#domain/nqn.ts";
import type { Volume } from "#domain/volume.ts";

/**
 * The name under which a volume that is attached is exported.
 * @throws {DriverError} `failed-precondition` for a comment that somebody has edited.
 */
export function epochNqn({ slot, tag }: Pick<Volume, "slot" | "tag">): Nqn {
  if (tag.epoch !== undefined) return nqnFor(slot, tag.epoch);
  throw new DriverError(
    "failed-precondition",
    `Cannot export volume "${slot}": its comment names attached nodes, but no epoch`,
  );
}
