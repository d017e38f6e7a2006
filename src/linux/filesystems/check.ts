import type { FsType } from "#domain/access-mode.ts";
import { DriverError } from "#domain/errors.ts";
import type { Context } from "#lib/context.ts";
import type { Exec } from "#linux/exec.ts";
import { ExecError } from "#linux/exec-error.ts";
import { toolFailure } from "#linux/tool-failure.ts";
import { longestToolMs } from "./longest-tool.ts";

/** They print a line for each thing that they mend. */
const unhurried = { timeoutMs: longestToolMs, ignoresStdout: true };

/**
 * Repairs what can be repaired without a decision of a person: for use after a failed mount only, since
 * mounting is what replays a journal. Never `xfs_repair -L`, which throws the journal away, and never
 * `btrfs check --repair`, whose own manual warns of it.
 * @throws {DriverError} `failed-precondition` when a person must decide.
 */
export async function check(
  exec: Exec,
  device: string,
  fsType: FsType,
  ctx: Context,
): Promise<void> {
  if (fsType === "btrfs")
    throw new DriverError(
      "failed-precondition",
      `Cannot repair the btrfs on "${device}": there is no safe automatic repair, see btrfs-rescue(8)`,
    );
  if (fsType === "xfs") return repairXfs(exec, device, ctx);
  return checkExt(exec, device, ctx);
}

/** Exit code of e2fsck(8) is a sum of flags; 1 and 2 say that all errors were corrected. */
const corrected = 1 | 2;

async function checkExt(exec: Exec, device: string, ctx: Context): Promise<void> {
  try {
    await exec({ file: "fsck.ext4", args: ["-p", device], ...unhurried }, ctx);
  } catch (error) {
    if (!isCorrected(error))
      throw toolFailure(
        `Cannot repair the file system on "${device}"`,
        error,
        "failed-precondition",
      );
    ctx.log.warn({ device }, "Repaired a file system");
  }
}

function isCorrected(error: unknown): boolean {
  if (!(error instanceof ExecError) || error.aborted || error.timedOut) return false;
  return error.exitCode !== undefined && (error.exitCode & ~corrected) === 0;
}

/** Exit code of xfs_repair(8) for a journal that must be replayed by mounting first. */
const dirtyLog = 2;

async function repairXfs(exec: Exec, device: string, ctx: Context): Promise<void> {
  const act = `Cannot repair the xfs on "${device}"`;
  try {
    await exec({ file: "xfs_repair", args: [device], ...unhurried }, ctx);
    ctx.log.warn({ device }, "Checked a file system");
  } catch (error) {
    if (error instanceof ExecError && error.exitCode === dirtyLog)
      throw new DriverError(
        "failed-precondition",
        `${act}: its journal holds changes that no mount has replayed yet, and xfs_repair does nothing before one has; the kernel's log says why the mount failed`,
        { cause: error },
      );
    throw toolFailure(act, error, "failed-precondition");
  }
}
