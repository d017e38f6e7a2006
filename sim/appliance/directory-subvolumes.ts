import { mkdir, rm, statfs } from "node:fs/promises";
import { StoreError, type SubvolumeStore } from "./back-end.ts";
import type { DirectoryFiles } from "./directory-files.ts";
import { runTool } from "./run-tool.ts";

/** `BTRFS_SUPER_MAGIC`, linux/magic.h. */
const btrfsMagic = 0x9123683e;

/** Real subvolumes where the directory is on Btrfs; elsewhere plain directories without snapshots. */
export async function directorySubvolumes(
  root: string,
  files: DirectoryFiles,
): Promise<SubvolumeStore> {
  const { type } = await statfs(root);
  return type === btrfsMagic ? btrfsSubvolumes(files) : plainDirectories(files);
}

function btrfsSubvolumes(files: DirectoryFiles): SubvolumeStore {
  const host = (path: string): string => files.hostPath(path);
  return {
    make: (path) => ioctl("SUBVOL_CREATE", "subvolume", "create", host(path)),
    snapshot: (source, target, readOnly) => {
      const options = readOnly ? ["-r"] : [];
      const paths = [host(source), host(target)];
      return ioctl("SNAP_CREATE_V2", "subvolume", "snapshot", ...options, ...paths);
    },
    setReadOnly: (path, readOnly) =>
      ioctl("SUBVOL_SETFLAGS", "property", "set", "-ts", host(path), "ro", String(readOnly)),
    remove: (path) => ioctl("SNAP_DESTROY", "subvolume", "delete", host(path)),
  };
}

/** Runs the `btrfs` tool in place of the ioctl that RouterOS names when it fails. */
async function ioctl(name: string, ...args: readonly string[]): Promise<void> {
  try {
    await runTool("btrfs", ...args);
  } catch (cause) {
    const lines = cause instanceof Error ? cause.message.trim().split("\n") : [];
    throw new StoreError(`BTRFS_IOC_${name} failed: ${lines.at(-1) ?? "unknown"}`, { cause });
  }
}

function plainDirectories(files: DirectoryFiles): SubvolumeStore {
  return {
    make: async (path) => {
      await mkdir(files.hostPath(path));
    },
    snapshot: async () => {
      throw new StoreError(
        "BTRFS_IOC_SNAP_CREATE_V2 failed: Inappropriate ioctl for device (the directory of the simulator is not on Btrfs)",
      );
    },
    setReadOnly: async () => {},
    remove: (path) => rm(files.hostPath(path), { recursive: true, force: true }),
  };
}
