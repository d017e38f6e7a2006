import { readFileSync } from "node:fs";
import { isAbsolute } from "node:path";
import { DriverError } from "#domain/errors.ts";
import type { BindRequest, Mount, MountRequest, Mounts } from "#domain/ports/mounts.ts";
import type { Context } from "#lib/context.ts";
import type { Exec } from "./exec.ts";
import { ExecError } from "./exec-error.ts";
import { isRefusal } from "./mount-refusal.ts";
import { parseMountInfo } from "./mountinfo.ts";
import { toolFailure } from "./tool-failure.ts";

/** Replaying the journal of a large file system takes its time. */
const mountLimitMs = 300_000;
/** Unmounting writes back what is dirty; callers with less patience abort `ctx.signal`. */
const unmountLimitMs = 120_000;
const detachLimitMs = 10_000;

/**
 * The mount table by mountinfo, changed by util-linux' mount and umount. `-n` keeps them from writing a
 * table of their own; umount's `-c` keeps it from looking at paths of a file system that may be dead.
 */
export class LinuxMounts implements Mounts {
  readonly #exec: Exec;
  readonly #mountInfo: string;
  /** A call reads the table a dozen times and changes it once: the same text is parsed once. */
  #parsed: { readonly text: string; readonly mounts: readonly Mount[] } = { text: "", mounts: [] };

  constructor(exec: Exec, mountInfo = "/proc/self/mountinfo") {
    this.#exec = exec;
    this.#mountInfo = mountInfo;
  }

  async list(_ctx: Context): Promise<readonly Mount[]> {
    return this.#read();
  }

  async mount({ source, target, fsType, options }: MountRequest, ctx: Context): Promise<void> {
    requireAbsolute(source, target);
    const args = ["-n", "-t", fsType, ...optionArgs(options), "--", source, target];
    await this.#mount(`Cannot mount "${source}" on "${target}"`, args, ctx);
  }

  async bind({ source, target, options }: BindRequest, ctx: Context): Promise<void> {
    requireAbsolute(source, target);
    const act = `Cannot bind "${source}" to "${target}"`;
    const before = this.#countAt(target);
    try {
      await this.#bind({ source, target, options }, act, ctx);
      if (options.includes("ro")) this.#requireReadOnly(act, target);
    } catch (error) {
      // mount(8) binds first and sets the options after: a bind without its `ro` must not stay.
      if (this.#countAt(target) > before) await this.#undo(target, ctx);
      throw error;
    }
  }

  /**
   * Binds a mount in a peer group of its own, if the place where it goes is shared: so what is mounted over it later
   * reaches all who have it, and no other bind of `source`. A read-only one, of a device node as well, is made over
   * `source` first, and only then handed on: what other namespaces get of a bind has the options which it had at that
   * moment. Source: mount_namespaces(7), mount(8) "Bind mounts".
   */
  async #bind(request: BindRequest, act: string, ctx: Context): Promise<void> {
    const { source, target, options } = request;
    const isMount = this.#countAt(source) > 0;
    if (isMount) await this.#mount(act, ["-n", "--make-private", source], ctx);
    if (!options.includes("ro"))
      return await this.#mount(act, bindArgs(request, isMount ? [] : ["--make-private"]), ctx);
    const before = this.#countAt(source);
    try {
      await this.#mount(act, bindArgs({ ...request, target: source }, ["--make-private"]), ctx);
      this.#requireReadOnly(act, source);
      await this.#mount(act, bindArgs({ source, target, options: [] }), ctx);
    } finally {
      if (this.#countAt(source) > before) await this.#undo(source, ctx);
    }
  }

  async unmount(target: string, ctx: Context): Promise<void> {
    await this.#unmount(target, { flags: [], limitMs: unmountLimitMs }, ctx);
  }

  async detach(target: string, ctx: Context): Promise<void> {
    await this.#unmount(target, { flags: ["-l"], limitMs: detachLimitMs }, ctx);
  }

  async #mount(act: string, args: readonly string[], ctx: Context): Promise<void> {
    try {
      await this.#exec({ file: "mount", args, timeoutMs: mountLimitMs }, ctx);
    } catch (error) {
      throw toolFailure(act, error, isRefusal(error) ? "failed-precondition" : "internal");
    }
  }

  async #unmount(target: string, how: UnmountManner, ctx: Context): Promise<void> {
    requireAbsolute(target);
    const args = ["-n", "-c", ...how.flags, "--", target];
    const before = this.#countAt(target);
    try {
      await this.#exec({ file: "umount", args, timeoutMs: how.limitMs }, ctx);
    } catch (error) {
      const ended = error instanceof ExecError && (error.aborted || error.timedOut);
      // Somebody else was faster: what was asked for is done.
      if (!ended && this.#countAt(target) < Math.max(before, 1)) return;
      throw toolFailure(`Cannot unmount "${target}"`, error, "unavailable");
    }
  }

  /** Runs even when the call has ended; what failed first is what the caller shall hear. */
  async #undo(target: string, ctx: Context): Promise<void> {
    const signal = AbortSignal.timeout(detachLimitMs);
    await this.unmount(target, { ...ctx, signal }).catch((error: unknown) => {
      ctx.log.warn({ target, error: String(error) }, "Cannot undo a mount");
    });
  }

  #requireReadOnly(act: string, target: string): void {
    const top = this.#read().findLast((mount) => mount.target === target);
    if (top?.options.includes("ro")) return;
    throw new DriverError("internal", `${act}: the mount is not read-only as asked`);
  }

  #countAt(target: string): number {
    return this.#read().filter((mount) => mount.target === target).length;
  }

  /**
   * Reads until two readings agree: kernels before 5.8 may leave a mount out of a table that changes while it
   * is read, and a mount overlooked is a disk disconnected under a live file system.
   */
  #read(): readonly Mount[] {
    let last = readFileSync(this.#mountInfo, "utf8");
    for (let attempt = 0; attempt < 10; attempt++) {
      const next = readFileSync(this.#mountInfo, "utf8");
      if (next === last) return this.#parse(next);
      last = next;
    }
    throw new DriverError("unavailable", "Cannot read the mount table: it does not stop changing");
  }

  #parse(text: string): readonly Mount[] {
    if (text !== this.#parsed.text) this.#parsed = { text, mounts: parseMountInfo(text) };
    return this.#parsed.mounts;
  }
}

interface UnmountManner {
  readonly flags: readonly string[];
  readonly limitMs: number;
}

/** `-c` keeps mount(8) from looking at a target where something dead is mounted. */
function bindArgs({ source, target, options }: BindRequest, more: readonly string[] = []) {
  return ["-n", "-c", ...more, ...optionArgs(["bind", ...options]), "--", source, target];
}

function optionArgs(options: readonly string[]): string[] {
  return options.length === 0 ? [] : ["-o", options.join(",")];
}

function requireAbsolute(...paths: readonly string[]): void {
  const wrong = paths.find((path) => !isAbsolute(path));
  if (wrong !== undefined)
    throw new DriverError("invalid-argument", `Cannot mount "${wrong}": path is not absolute`);
}
