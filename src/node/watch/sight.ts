import type { Connection } from "#domain/ports/connections.ts";
import type { Hold, HoldStatus } from "#domain/ports/device-mapper.ts";
import type { PublishedPath, StagedVolume } from "#domain/staged-volume.ts";

/** All that is known of a volume at one moment. */
export interface Sight {
  readonly volume: StagedVolume;
  readonly connection: Connection;
  /** `undefined` for a volume that is used without one. */
  readonly hold: HeldSight | undefined;
  /**
   * Number of the device whose file system is mounted at the staging path; asked only for a volume without hold.
   * `undefined` when nothing is mounted there.
   */
  readonly mounted: string | undefined;
  /** Target paths that show what the volume was before its device was replaced; only of a volume without hold. */
  readonly stale: readonly PublishedPath[];
  /** Target paths whose device node leads to another device; only of a volume without hold. */
  readonly strays: readonly PublishedPath[];
  /**
   * Why a direct read of the device failed, in an incident: its connection says that it is live and may be dead.
   * `undefined` as long as it has answered, or there is nothing to ask.
   */
  readonly unanswered: Unanswered | undefined;
  /** Since the volume was last seen well; 0 while it is. */
  readonly lostMs: number;
  readonly past: Past;
}

export interface Unanswered {
  readonly reason: string;
  /** For so long one read has waited on one connection; 0 when it was answered, by an error or late. */
  readonly silentMs: number;
}

export interface HeldSight extends Hold {
  /** Left out of one that is suspended while the kernel is connecting: nothing would follow from it. */
  readonly status: HoldStatus | undefined;
}

/** What has happened in this incident so far. */
export interface Past {
  /** Times that failed paths were let try again while the connection was live, within the last minute. */
  readonly reinstated: number;
  /** Rescans since the last connect. */
  readonly rescanned: number;
  readonly reconnected: number;
  /** Times that a connection which answered nothing was made anew. */
  readonly resets: number;
  /** Whether the last of them was long enough ago for one more. */
  readonly mayReset: boolean;
  /** Whether the last of them was not long ago, in this incident or an earlier one. */
  readonly isNewlyMade: boolean;
  /** Times that it was tried to park the hold. */
  readonly parked: number;
  /** A device that was found not to be the volume. */
  readonly refused: Refusal | undefined;
  readonly attachmentEnded: boolean;
  /** The target came back with another identity of the namespace. */
  readonly newIdentity: boolean;
  /** Why the hold was ended. */
  readonly ended: string | undefined;
}

export interface Refusal {
  /** `259:1` */
  readonly majorMinor: string;
  readonly reason: string;
}

export const nothingYet: Past = {
  reinstated: 0,
  rescanned: 0,
  reconnected: 0,
  resets: 0,
  mayReset: true,
  isNewlyMade: false,
  parked: 0,
  refused: undefined,
  attachmentEnded: false,
  newIdentity: false,
  ended: undefined,
};
