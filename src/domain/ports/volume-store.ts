import type { Context } from "#lib/context.ts";
import type { Nqn } from "../nqn.ts";
import type { Origin } from "../origin.ts";
import type { ExportState, Survey, Volume } from "../volume.ts";
import type { Slot } from "../volume-id.ts";
import type { VolumeTag } from "../volume-tag.ts";

/**
 * Where volumes live: one appliance. `routeros/` implements it, `test/fakes/` imitates it.
 * Every method may throw `unavailable` (not reached, nothing changed), `unknown-outcome` (the connection
 * broke; a repeat reads first), `permission-denied`, or `failed-precondition` for an entry that bears the
 * slot but is not ours (no tag, other cluster, foreign path): such an entry is never changed.
 */
export interface VolumeStore {
  /** One round trip. */
  find(slot: Slot, ctx: Context): Promise<Volume | undefined>;
  /** All volumes of this cluster, the pool, and what was promised; one round trip, shared by concurrent callers. */
  survey(ctx: Context): Promise<Survey>;
  /**
   * Makes image and entry, unexported, and returns what was read back. One round trip; some more to clear away
   * a copy that an earlier try has left without an entry.
   * An entry of ours that is there already is returned as it is (compare its size and tag).
   * @throws {DriverError} `resource-exhausted` for a full pool; `failed-precondition` when an image without entry
   * is in the way, because nobody can tell whose data it holds; `not-found` for an origin that is not there.
   */
  create(spec: NewVolume, ctx: Context): Promise<Volume>;
  /**
   * Compare-and-set: applies `change` only if the entry still bears `volume.comment`. One round trip.
   * @returns the volume read back, verified to be as asked; `undefined` if somebody else was faster.
   */
  change(volume: Volume, change: VolumeChange, ctx: Context): Promise<Volume | undefined>;
  /** Grows the image, never shrinks it, and returns what was read back. One round trip. */
  grow(volume: Volume, sizeBytes: number, ctx: Context): Promise<Volume>;
  /**
   * Unexports, removes the entry, then its image, verifying each step. Two round trips.
   * Deleting what is not there succeeds; an image left by an interrupted delete is removed.
   * @param volume - as found, or `undefined` to remove only leftovers of `slot`.
   * @throws {DriverError} `operation-pending` for an entry that does not bear `volume.comment` (any more): it may
   * be attached since.
   */
  delete(slot: Slot, volume: Volume | undefined, ctx: Context): Promise<void>;
}

export interface NewVolume {
  readonly slot: Slot;
  /** A multiple of 1 MiB. */
  readonly sizeBytes: number;
  readonly tag: VolumeTag;
  /** Left out: the volume is blank. */
  readonly origin?: Origin | undefined;
}

export interface VolumeChange {
  readonly tag: VolumeTag;
  /** Left out: the export stays as it is. A new NQN is set only while the export is off. */
  readonly exported?:
    | { readonly enabled: false }
    | (ExportState & { readonly enabled: true; readonly nqn: Nqn });
}
