import type { Context } from "#lib/context.ts";

/**
 * Paths on the host that the CO names. What may lie on a dead file system is asked by a bounded child
 * process; nothing here ever deletes recursively.
 */
export interface HostPaths {
  /**
   * What is at `path` itself: a symbolic link is not followed. `undefined` when nothing is there.
   * @throws {DriverError} `unavailable` when the file system there does not answer, or with an I/O error.
   */
  kindOf(path: string, ctx: Context): Promise<PathKind | undefined>;
  /**
   * Makes a folder (mode 0750) and its missing parents; one that is there stays as it is.
   * @throws {DriverError} `failed-precondition` when something else is at `path`.
   */
  ensureDirectory(path: string, ctx: Context): Promise<void>;
  /**
   * Makes an empty file (mode 0600), as the place for a device node, and its missing parents; a file or device
   * node that is there stays as it is.
   * @throws {DriverError} `failed-precondition` when something else is at `path`.
   */
  ensureFile(path: string, ctx: Context): Promise<void>;
  /**
   * Removes an empty folder or an empty file; removing what is not there succeeds.
   * @throws {DriverError} `failed-precondition` for anything with content, a mount point, or another kind.
   */
  removeIfEmpty(path: string, ctx: Context): Promise<void>;
}

export type PathKind = "directory" | "file" | "block-device" | "other";
