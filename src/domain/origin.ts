import type { SnapshotLeaf } from "./snapshot-id.ts";
import type { Slot } from "./volume-id.ts";

/** Whose content a new volume begins with; it is on the same appliance. */
export type Origin =
  | { readonly type: "snapshot"; readonly leaf: SnapshotLeaf }
  | { readonly type: "volume"; readonly slot: Slot; readonly sizeBytes: number };

/** What a volume's tag keeps of its origin: a snapshot's key or a volume's slot, because comments are short. */
export function sourceOf(
  origin:
    | Extract<Origin, { readonly type: "snapshot" }>
    | Omit<Extract<Origin, { readonly type: "volume" }>, "sizeBytes">,
): string {
  return origin.type === "snapshot" ? origin.leaf.key : origin.slot;
}

/** Bytes that a copy has at least. */
export function sizeOf(origin: Origin): number {
  return origin.type === "snapshot" ? origin.leaf.sizeBytes : origin.sizeBytes;
}
