import { constants } from "node:fs";
import { lstat, mkdir, open, rmdir, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { DriverError } from "#domain/errors.ts";
import type { HostPaths, PathKind } from "#domain/ports/host-paths.ts";
import type { Context } from "#lib/context.ts";
import type { Exec } from "./exec.ts";
import { ExecError } from "./exec-error.ts";
import { toolFailure } from "./tool-failure.ts";

const statLimitMs = 5_000;

/**
 * Looking at a path goes through a child process, because a dead file system may be mounted there. Making
 * and removing touch only the folder above it, which is the host's own: mkdir, open with O_EXCL, rmdir and
 * unlink meet a mount point with EEXIST or EBUSY before they ask its file system.
 */
export class LinuxHostPaths implements HostPaths {
  readonly #exec: Exec;

  constructor(exec: Exec) {
    this.#exec = exec;
  }

  async kindOf(path: string, ctx: Context): Promise<PathKind | undefined> {
    try {
      const args = ["-c", "%f", "--", path];
      const { stdout } = await this.#exec({ file: "stat", args, timeoutMs: statLimitMs }, ctx);
      return kindOfMode(Number.parseInt(stdout, 16));
    } catch (error) {
      if (error instanceof ExecError && /: No such file or directory$/m.test(error.stderr))
        return undefined;
      throw toolFailure(`Cannot look at "${path}"`, error, "unavailable");
    }
  }

  async ensureDirectory(path: string, ctx: Context): Promise<void> {
    await mkdir(dirname(path), { recursive: true, mode: 0o750 });
    if (await isNew(() => mkdir(path, { mode: 0o750 }))) return;
    const kind = await this.kindOf(path, ctx);
    if (kind !== "directory") throw inTheWay("folder", path, kind);
  }

  async ensureFile(path: string, ctx: Context): Promise<void> {
    await mkdir(dirname(path), { recursive: true, mode: 0o750 });
    if (await isNew(() => createEmpty(path))) return;
    const kind = await this.kindOf(path, ctx);
    if (kind !== "file" && kind !== "block-device") throw inTheWay("file", path, kind);
  }

  async removeIfEmpty(path: string, ctx: Context): Promise<void> {
    const kind = await this.kindOf(path, ctx);
    if (kind === undefined) return;
    if (kind !== "directory" && kind !== "file")
      throw new DriverError(
        "failed-precondition",
        `Cannot remove "${path}": it is ${described[kind]}`,
      );
    try {
      await (kind === "directory" ? rmdir(path) : unlinkEmpty(path));
    } catch (error) {
      const state = obstacle(error);
      if (state === "gone") return;
      if (state === undefined) throw error;
      throw new DriverError("failed-precondition", `Cannot remove "${path}": ${state}`, {
        cause: error,
      });
    }
  }
}

/** For messages. */
const described = {
  directory: "a folder",
  file: "a file",
  "block-device": "a block device",
  other: "neither folder nor file",
} as const satisfies Record<PathKind, string>;

/** @returns `false` when something was there already. */
async function isNew(make: () => Promise<unknown>): Promise<boolean> {
  try {
    await make();
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

async function createEmpty(path: string): Promise<void> {
  const { O_CREAT, O_EXCL, O_WRONLY } = constants;
  await using _file = await open(path, O_CREAT | O_EXCL | O_WRONLY, 0o600);
}

async function unlinkEmpty(path: string): Promise<void> {
  const { size } = await lstat(path);
  if (size > 0) throw Object.assign(new Error(`It has ${size} bytes`), { code: "ENOTEMPTY" });
  await unlink(path);
}

function kindOfMode(mode: number): PathKind {
  const kinds = new Map<number, PathKind>([
    [constants.S_IFDIR, "directory"],
    [constants.S_IFREG, "file"],
    [constants.S_IFBLK, "block-device"],
  ]);
  return kinds.get(mode & constants.S_IFMT) ?? "other";
}

/** Why something cannot be removed; `undefined` for reasons that nobody foresaw. */
function obstacle(error: unknown): string | undefined {
  const states = new Map([
    ["ENOENT", "gone"],
    ["ENOTEMPTY", "it is not empty"],
    ["EBUSY", "something is mounted there"],
  ]);
  return states.get(codeOf(error) ?? "");
}

function inTheWay(wanted: string, path: string, kind: PathKind | undefined): DriverError {
  const state = kind === undefined ? "it vanished meanwhile" : `${described[kind]} is there`;
  return new DriverError("failed-precondition", `Cannot make ${wanted} "${path}": ${state}`);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}
