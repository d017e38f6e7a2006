import { DriverError } from "#domain/errors.ts";
import type { StagedVolume } from "#domain/staged-volume.ts";
import type { Context } from "#lib/context.ts";
import type { NodeHost } from "./host.ts";

/**
 * Looks for a reason why the kernel refused a file system that may well be whole: another one with its UUID is on
 * this node. Neither is checked for that, which would write.
 * @throws {DriverError} `failed-precondition` naming the other volume.
 */
export async function refuseBesideTwin(
  volume: StagedVolume,
  cause: DriverError,
  { records }: NodeHost,
  ctx: Context,
): Promise<void> {
  const { volumes } = await records.list(ctx);
  const twin = volumes.find((other) => isTwin(volume, other) && isRefusedBeside(volume, other));
  if (twin === undefined) return;
  throw new DriverError(
    "failed-precondition",
    `Cannot mount volume "${volume.volumeId}" beside volume "${twin.volumeId}" on one node: their file systems have the same UUID, "${volume.fsUuid}" (for copies, Btrfs needs Linux 6.7 or later): ${cause.message}`,
    { cause },
  );
}

function isTwin({ volumeId, fsUuid }: StagedVolume, other: StagedVolume): boolean {
  return other.volumeId !== volumeId && fsUuid !== undefined && other.fsUuid === fsUuid;
}

/** Of two XFS one is enough that is known for a copy, and mounted as such. ext4 does not care. */
function isRefusedBeside({ use, source }: StagedVolume, other: StagedVolume): boolean {
  if (use.access.type === "block") return false;
  const { fsType } = use.access;
  return fsType === "btrfs" || (fsType === "xfs" && (source ?? other.source) === undefined);
}

/** @returns what to throw for a volume that could not be mounted for reading only. */
export function notReplayed({ volumeId, source }: StagedVolume, cause: DriverError): DriverError {
  if (source === undefined) return cause;
  return new DriverError(
    "failed-precondition",
    `Cannot mount volume "${volumeId}" for reading only: ${cause.message} (if "${source}", which it was copied from, was in use, its journal must be replayed: stage it once with an access mode that writes)`,
    { cause },
  );
}
