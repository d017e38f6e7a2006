import { MiB } from "#lib/bytes.ts";
import { digestOfName } from "./csi-name.ts";
import { parseVolumeId, type Slot, splitPrefix, withPrefix } from "./volume-id.ts";

/** `snap-<26>`: what stands for the CSI name of a snapshot, whatever its source. */
export type SnapshotKey = string & { readonly __brand: "SnapshotKey" };

/**
 * What the name of a snapshot's subvolume tells: `<key>.<slot>.<size in MiB>`. RouterOS forgets the parent of
 * a subvolume when that is deleted, and keeps no comment, so lineage and size are in the name.
 */
export interface SnapshotLeaf {
  readonly key: SnapshotKey;
  /** The volume it was taken of. */
  readonly source: Slot;
  readonly sizeBytes: number;
}

/** A CSI snapshot id, taken apart. */
export interface SnapshotId {
  /** `undefined` stands for the default appliance, fixed by name in the configuration. */
  readonly appliance: string | undefined;
  readonly leaf: SnapshotLeaf;
}

const leafPattern = /^(snap-[a-z2-7]{26})\.(.+)\.([1-9]\d{0,9})$/;

/** @throws {DriverError} `invalid-argument` for a name that the CSI spec does not allow. */
export function snapshotKeyForName(name: string): SnapshotKey {
  return `snap-${digestOfName(name, { thing: "snapshot", uuidPrefix: "snapshot-" })}` as SnapshotKey;
}

export function formatSnapshotLeaf({ key, source, sizeBytes }: SnapshotLeaf): string {
  return `${key}.${source}.${Math.ceil(sizeBytes / MiB)}`;
}

/** @returns `undefined` for the name of anything but a snapshot of this driver. */
export function parseSnapshotLeaf(text: string): SnapshotLeaf | undefined {
  const [, key, slot = "", size] = leafPattern.exec(text) ?? [];
  const source = parseVolumeId(slot);
  if (key === undefined || source === undefined || source.appliance !== undefined) return undefined;
  return { key: key as SnapshotKey, source: source.slot, sizeBytes: Number(size) * MiB };
}

/** `<leaf>` or `<appliance>/<leaf>`; `undefined` for text that cannot be an id of this driver. */
export function parseSnapshotId(text: string): SnapshotId | undefined {
  const id = splitPrefix(text);
  const leaf = id && parseSnapshotLeaf(id.name);
  return leaf && { appliance: id.appliance, leaf };
}

/** The text form; what every reply carries, byte for byte. */
export function formatSnapshotId({ appliance, leaf }: SnapshotId): string {
  return withPrefix(appliance, formatSnapshotLeaf(leaf));
}
