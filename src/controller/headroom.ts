import { DriverError } from "#domain/errors.ts";
import type { Appliance, CapacityLimits } from "#domain/ports/appliances.ts";
import type { Pool, Survey } from "#domain/volume.ts";
import { formatBytes } from "#lib/bytes.ts";
import type { Claims } from "./claims.ts";

/**
 * What may still be handed out on a pool, bytes. Two views, because images may be sparse: `free` has not
 * been written, `unpromised` has not been promised to anybody. The smaller one counts.
 */
interface Headroom {
  readonly free: number;
  readonly unpromised: number;
}

function headroom({ pool, provisionedBytes }: Survey, limits: CapacityLimits): Headroom {
  const reserve = pool.sizeBytes * limits.reserve;
  const promisable = (pool.sizeBytes - reserve) * limits.overprovision;
  return {
    free: Math.floor(pool.freeBytes - reserve),
    unpromised: Math.floor(promisable - provisionedBytes),
  };
}

/** Bytes that may still be handed out; never negative. */
export function availableBytes(survey: Survey, limits: CapacityLimits): number {
  const { free, unpromised } = headroom(survey, limits);
  return Math.max(0, Math.min(free, unpromised));
}

/** What is about to take space. */
export interface Need {
  /** "create volume "a" of 1 GiB" */
  readonly act: string;
  /** Bytes on top of what is there. */
  readonly addedBytes: number;
  /** Bytes of the volume in the end. */
  readonly sizeBytes: number;
}

/**
 * Claims space on an appliance. Call it without any wait after the survey, or others may have taken it.
 * @returns the claim, to hold by `using` until the space is taken.
 * @throws {DriverError} `out-of-range` for more than the whole pool has, `resource-exhausted` for more than
 * can be handed out now, `unavailable` when nobody knows how much that is.
 */
export function claimRoom(
  { act, addedBytes, sizeBytes }: Need,
  { survey, claims }: { readonly survey: Survey; readonly claims: Claims },
  appliance: Appliance,
): Disposable {
  const { pool } = survey;
  const claimed = claims.on(appliance.name);
  const freeBytes = pool.freeBytes - claimed;
  const provisionedBytes = survey.provisionedBytes + claimed;
  const cannot = `Cannot ${act} on appliance "${appliance.name}"`;
  requireKnown(pool, cannot);
  if (sizeBytes > pool.sizeBytes)
    throw new DriverError(
      "out-of-range",
      `${cannot}: the whole pool has ${formatBytes(pool.sizeBytes)}`,
    );
  const seen = { ...survey, pool: { ...pool, freeBytes }, provisionedBytes };
  const { free, unpromised } = headroom(seen, appliance.limits);
  const { reserve, overprovision } = appliance.limits;
  if (addedBytes > free) throw lacksReserve(cannot, seen, appliance);
  if (addedBytes > unpromised)
    throw new DriverError(
      "resource-exhausted",
      `${cannot}: ${formatBytes(provisionedBytes)} are promised to volumes already, and at most ${overprovision} times ${formatBytes(pool.sizeBytes * (1 - reserve))} may be`,
    );
  return claims.take(appliance.name, addedBytes);
}

/**
 * For what takes no space at once, but later: a snapshot keeps every block that its volume gives up.
 * @throws {DriverError} `resource-exhausted` when the pool has nothing but its reserve.
 */
export function requireReserve(act: string, survey: Survey, appliance: Appliance): void {
  const cannot = `Cannot ${act} on appliance "${appliance.name}"`;
  requireKnown(survey.pool, cannot);
  if (headroom(survey, appliance.limits).free <= 0) throw lacksReserve(cannot, survey, appliance);
}

/**
 * @param cannot - "Cannot do this to that"
 * @throws {DriverError} `unavailable` for a pool whose size or free room the appliance does not tell.
 */
export function requireKnown({ mountPoint, sizeBytes }: Pool, cannot: string): void {
  if (sizeBytes > 0) return;
  throw new DriverError(
    "unavailable",
    `${cannot}: the appliance does not tell how much of pool "${mountPoint}" is free`,
  );
}

function lacksReserve(cannot: string, { pool }: Survey, { limits }: Appliance): DriverError {
  const { freeBytes, sizeBytes } = pool;
  return new DriverError(
    "resource-exhausted",
    `${cannot}: ${formatBytes(freeBytes)} of ${formatBytes(sizeBytes)} are free, and ${formatBytes(sizeBytes * limits.reserve)} of them stay in reserve`,
  );
}
