/** How a volume may be used, by the CSI names. Stored short in the volume's comment. */
export const accessModes = {
  "single-node-writer": { word: "snw", nodes: "one", writes: true },
  "single-node-reader-only": { word: "sno", nodes: "one", writes: false },
  "single-node-single-writer": { word: "sns", nodes: "one", writes: true },
  "single-node-multi-writer": { word: "snm", nodes: "one", writes: true },
  "multi-node-reader-only": { word: "mno", nodes: "many", writes: false },
  /** Raw block only: two nodes while a virtual machine migrates. */
  "multi-node-multi-writer": { word: "mnm", nodes: "two", writes: true },
} as const;

export type AccessMode = keyof typeof accessModes;

export function accessModeFromWord(word: string): AccessMode | undefined {
  const names = Object.keys(accessModes) as AccessMode[];
  return names.find((name) => accessModes[name].word === word);
}

/** What the CO wants to do with a volume: one CSI VolumeCapability. */
export interface VolumeUse {
  readonly accessMode: AccessMode;
  readonly access: BlockAccess | MountAccess;
}

export interface BlockAccess {
  readonly type: "block";
}

export interface MountAccess {
  readonly type: "mount";
  readonly fsType: FsType;
  /** As given; the white list of `node/mount-options.ts` decides. */
  readonly mountFlags: readonly string[];
}

export const fsTypes = ["ext4", "xfs", "ext3", "btrfs"] as const;
export type FsType = (typeof fsTypes)[number];
export const defaultFsType: FsType = "ext4";
