import type { Context } from "#lib/context.ts";

/** One line of mountinfo. */
export interface Mount {
  readonly target: string;
  /** Root of the mount within its file system; `/` unless it is a bind mount of a part. */
  readonly root: string;
  /** `259:1`; Btrfs shows an anonymous `0:39`, then `source` counts. */
  readonly majorMinor: string;
  readonly fsType: string;
  readonly source: string;
  /** Per-mount options: `ro`, `nosuid`, … */
  readonly options: readonly string[];
  /** Options of the file system itself, the same for all its mounts. */
  readonly superOptions: readonly string[];
}

/** The node's mount table. Calls that touch a file system run in bounded child processes. */
export interface Mounts {
  list(ctx: Context): Promise<readonly Mount[]>;
  /**
   * @throws {DriverError} with the tool's words: `failed-precondition` when they say that the file system is not to blame,
   * but the kernel does not know it or an option, or somebody has the device to himself; `internal` for other failures.
   */
  mount(request: MountRequest, ctx: Context): Promise<void>;
  /**
   * Bind-mounts `source` (a mount or a device node) on `target` with the given per-mount options, over whatever is
   * mounted there. Other binds of `source` do not get what is mounted over this one later.
   */
  bind(request: BindRequest, ctx: Context): Promise<void>;
  /** Unmounts the topmost mount at `target`. @throws {DriverError} `unavailable` when it is busy. */
  unmount(target: string, ctx: Context): Promise<void>;
  /**
   * Takes the topmost mount at `target` out of the table at once; the kernel lets go of it when its last user
   * does. Only for mounts whose device is gone: after it mountinfo no longer tells who still uses the device.
   */
  detach(target: string, ctx: Context): Promise<void>;
}

export interface MountRequest {
  /** Device node. */
  readonly source: string;
  readonly target: string;
  readonly fsType: string;
  readonly options: readonly string[];
}

export interface BindRequest {
  readonly source: string;
  readonly target: string;
  readonly options: readonly string[];
}
