import type { NewVolume } from "#domain/ports/volume-store.ts";
import type { Slot } from "#domain/volume-id.ts";
import type { VolumeTag } from "#domain/volume-tag.ts";
import { GiB } from "#lib/bytes.ts";

/** What CreateVolume asks a store for: 1 GiB for cluster `c1`, unless told otherwise. */
export function newVolume(
  slot: string,
  { cluster = "c1", sizeBytes = GiB, origin, ...tag }: Partial<VolumeTag & NewVolume> = {},
): NewVolume {
  const empty = { attachment: undefined, epoch: undefined, departure: undefined, halted: false };
  const names = { pv: slot, source: undefined, pvc: undefined };
  return {
    slot: slot as Slot,
    sizeBytes,
    origin,
    tag: { cluster, revision: 0, ...empty, ...names, ...tag },
  };
}
