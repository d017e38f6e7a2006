import {
  type AccessMode,
  accessModes,
  type FsType,
  type MountAccess,
} from "#domain/access-mode.ts";
import { DriverError } from "#domain/errors.ts";

export interface MountOptions {
  /** For mounting the device. */
  readonly filesystem: readonly string[];
  /** For bind mounts of it: the per-mount part, which a remount sets as a whole. */
  readonly bind: readonly string[];
}

/** A guest's file system must not bring privileges or devices into the host. */
const always = ["nosuid", "nodev"];

const perMount = /^(nosuid|nodev|noexec|exec|noatime|relatime|strictatime|nodiratime)$/;
const anyFs = /^(discard|nodiscard|lazytime|nolazytime|sync|dirsync)$/;
const ext =
  /^(data=(ordered|journal)|commit=[1-9]\d{0,2}|barrier(=1)?|errors=remount-ro|(no)?delalloc|(no)?auto_da_alloc|journal_checksum|(no)?init_itable|stripe=\d{1,6}|(no)?acl|user_xattr)$/;

/** Sources: mount(8), ext4(5), xfs(5), btrfs(5). */
const allowed: Readonly<Record<FsType, readonly RegExp[]>> = {
  ext4: [perMount, anyFs, ext],
  ext3: [perMount, anyFs, ext],
  xfs: [
    perMount,
    anyFs,
    /^(logbufs=[2-8]|logbsize=\d{1,6}k?|allocsize=\d{1,10}[kmg]?|inode64|largeio|swalloc|noalign|sunit=\d{1,8}|swidth=\d{1,8})$/,
  ],
  btrfs: [
    perMount,
    anyFs,
    /^(compress(-force)?(=(zstd(:\d{1,2})?|zlib(:\d)?|lzo|no))?|discard=(a?sync)|ssd|nossd|ssd_spread|space_cache=v2|(no)?autodefrag|commit=[1-9]\d{0,2}|flushoncommit|max_inline=\d{1,6})$/,
  ],
};

/** Why options that people ask for are not on the list. */
const refusals: readonly (readonly [RegExp, string])[] = [
  [/^(nobarrier|barrier=0)$/, "without barriers a power failure corrupts the file system"],
  [/^(suid|dev)$/, "a volume must not bring set-user-ID programs or devices into the host"],
  [/^(ro|rw)$/, "ask for a read-only access mode, or publish the volume read-only"],
  [
    /^(noload|norecovery|nologreplay|rescue=.*)$/,
    "the driver decides itself when a journal must not be replayed",
  ],
  [/^nouuid$/, "the driver sets it itself for copies, and only for them"],
];

/**
 * XFS refuses a second file system with one UUID on a node. The check keeps one disk from being mounted under two names,
 * of which the driver makes sure itself. A mount with this option neither checks nor is it seen by a check, so that
 * source and copy may come in any order. Source: Linux, fs/xfs/xfs_mount.c, `xfs_uuid_mount`.
 */
const besideItsTwin = ["nouuid"];

/** Other nodes may have the volume too: replaying a journal would write, so nothing is replayed. */
const withoutReplay: Readonly<Record<FsType, string>> = {
  ext4: "noload",
  ext3: "noload",
  xfs: "norecovery",
  btrfs: "rescue=nologreplay",
};

/**
 * The options for a volume's mounts: the administrator's choice from a white list, behind what is always set.
 * @param isCopy - Whether the file system shares its UUID with another one that may be mounted here.
 * @throws {DriverError} `invalid-argument` naming the first mount flag that is not allowed, and why.
 */
export function mountOptions(access: MountAccess, mode: AccessMode, isCopy = false): MountOptions {
  const { fsType, mountFlags } = access;
  for (const flag of mountFlags) refuseUnknown(flag, fsType);
  const twin = isCopy && fsType === "xfs" ? besideItsTwin : [];
  const filesystem = [...always, ...mountFlags, ...twin, ...readOnlyOptions(fsType, mode, isCopy)];
  return {
    filesystem: unique(filesystem),
    bind: unique(filesystem.filter((option) => perMount.test(option) || option === "ro")),
  };
}

/**
 * A copy was taken while its source was written to, and is not whole before its journal is replayed. Its device is
 * read-only, so that the kernel refuses to mount it then.
 */
function readOnlyOptions(fsType: FsType, mode: AccessMode, isCopy: boolean): string[] {
  const { writes, nodes } = accessModes[mode];
  if (writes) return [];
  return nodes === "one" || isCopy ? ["ro"] : ["ro", withoutReplay[fsType]];
}

function refuseUnknown(flag: string, fsType: FsType): void {
  if (allowed[fsType].some((pattern) => pattern.test(flag))) return;
  const reason = refusals.find(([pattern]) => pattern.test(flag))?.[1];
  throw new DriverError(
    "invalid-argument",
    `Cannot use mount option "${flag}": ${reason ?? `it is not on the list of options allowed for ${fsType}`}`,
  );
}

function unique(options: readonly string[]): string[] {
  return [...new Set(options)];
}
