import type { Connection } from "#domain/ports/connections.ts";
import type { StagedVolume } from "#domain/staged-volume.ts";
import type { Sight } from "./sight.ts";

/** Whether what is connected was given another identity than the volume had when it was last seen well, in whatever life. */
export function hasNewIdentity(volume: StagedVolume, { device }: Connection): boolean {
  const [known, now] = [volume.identity, device?.identity];
  return known !== undefined && now !== undefined && known !== now;
}

/**
 * The record of a volume that is well, as it must be from now on.
 * @returns `undefined` when it may stay as it is.
 */
export function renewedRecord(
  { volume, connection, past, lostMs }: Sight,
  now: Date,
): StagedVolume | undefined {
  const identity = connection.device?.identity;
  if (identity === undefined || identity === volume.identity) return undefined;
  const doubtfulSince = new Date(now.getTime() - lostMs).toISOString();
  return { ...volume, identity, ...(past.newIdentity && { doubtfulSince }) };
}
