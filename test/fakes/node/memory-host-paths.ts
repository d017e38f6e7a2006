import { DriverError } from "#domain/errors.ts";
import type { HostPaths, PathKind } from "#domain/ports/host-paths.ts";
import type { Context } from "#lib/context.ts";
import type { FakeKernel } from "./fake-kernel.ts";

/** The host's own folders and files, by their whole path; mounts cover them. */
export class MemoryHostPaths implements HostPaths {
  readonly #kernel: FakeKernel;
  /** A folder, or a file with its content. */
  readonly entries = new Map<string, { readonly content: string | undefined }>();

  constructor(kernel: FakeKernel) {
    this.#kernel = kernel;
  }

  /** Puts a file there that is not the driver's. */
  addFile(path: string, content: string): void {
    this.entries.set(path, { content });
  }

  /** What is at `path` at this moment, mounts included. */
  kindNow(path: string): PathKind | undefined {
    const entry = this.entries.get(path);
    if (entry === undefined) return undefined;
    return entry.content === undefined ? "directory" : "file";
  }

  async kindOf(path: string, _ctx: Context): Promise<PathKind | undefined> {
    const mounted = this.#kernel.mounts.findLast(({ target }) => target === path);
    return mounted?.node === undefined ? this.kindNow(path) : "block-device";
  }

  async ensureDirectory(path: string, ctx: Context): Promise<void> {
    ctx.signal.throwIfAborted();
    const kind = this.kindNow(path);
    if (kind === "file") throw refusal("make a folder", path, "a file is there");
    this.entries.set(path, { content: undefined });
  }

  async ensureFile(path: string, ctx: Context): Promise<void> {
    ctx.signal.throwIfAborted();
    const kind = this.kindNow(path);
    if (kind === "directory") throw refusal("make a file", path, "a folder is there");
    if (kind === undefined) this.entries.set(path, { content: "" });
  }

  async removeIfEmpty(path: string, ctx: Context): Promise<void> {
    ctx.signal.throwIfAborted();
    const entry = this.entries.get(path);
    if (entry === undefined) return;
    if (this.#kernel.mounts.some(({ target }) => target === path))
      throw refusal("remove", path, "something is mounted there");
    const children = [...this.entries.keys()].some((other) => other.startsWith(`${path}/`));
    if (children || entry.content) throw refusal("remove", path, "it is not empty");
    this.entries.delete(path);
  }
}

function refusal(act: string, path: string, state: string): DriverError {
  return new DriverError("failed-precondition", `Cannot ${act} "${path}": ${state}`);
}
