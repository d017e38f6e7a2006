import type { BlockAccess, MountAccess, VolumeUse } from "#domain/access-mode.ts";
import { DriverError } from "#domain/errors.ts";

/**
 * The one kind of access that all uses of a volume share: it is either raw, or has one file system.
 * @throws {DriverError} `invalid-argument` for none, or for uses that exclude each other.
 */
export function commonAccess(uses: readonly VolumeUse[]): BlockAccess | MountAccess {
  const [first, ...rest] = uses.map((use) => use.access);
  if (first === undefined) throw refusal("volume_capabilities is empty");
  for (const other of rest)
    if (describe(other) !== describe(first))
      throw refusal(`it cannot be both ${describe(first)} and ${describe(other)}`);
  return first;
}

function describe(access: BlockAccess | MountAccess): string {
  return access.type === "block" ? "a raw block device" : `a file system of type ${access.fsType}`;
}

function refusal(reason: string): DriverError {
  return new DriverError("invalid-argument", `Cannot use the volume capabilities: ${reason}`);
}
