import type { Volume } from "#domain/volume.ts";
import type { Slot } from "#domain/volume-id.ts";
import { parseVolumeTag } from "#domain/volume-tag.ts";
import type { DiskRow } from "./disk-row.ts";
import { layoutOf, type Place } from "./place.ts";

/** Whose a `/disk` entry is. Foreign ones are never changed. */
export type Standing =
  | { readonly ours: true; readonly volume: Volume }
  | {
      readonly ours: false;
      /** Completes "the entry …". */
      readonly reason: string;
      /** Bears our tag and cluster id, but lies where no volume of ours does. */
      readonly misplaced: boolean;
    };

/** An entry is ours if its comment says so, for this cluster, and its image is where we would have put it. */
export function standingOf(row: DiskRow, place: Place): Standing {
  const slot = row.slot as Slot;
  const tag = parseVolumeTag(row.comment);
  if (tag === undefined) return foreign("bears no readable tag of this driver");
  if (tag.cluster !== place.clusterId) return foreign(`belongs to cluster "${tag.cluster}"`);
  const layout = layoutOf(place, slot, row.filePath);
  if (layout === undefined)
    return { ...foreign(`has its image at "${row.filePath}"`), misplaced: true };
  const { comment, exported: enabled, nqn, nvmePort: port = 0 } = row;
  const sizeBytes = row.sizeBytes || row.fileSizeBytes || 0;
  return {
    ours: true,
    volume: { slot, sizeBytes, layout, tag, comment, exported: { enabled, nqn, port } },
  };
}

function foreign(reason: string) {
  return { ours: false, reason, misplaced: false } as const;
}
