import { DriverError } from "#domain/errors.ts";
import type { MountedFilesystem } from "#domain/ports/filesystems.ts";
import type { Context } from "#lib/context.ts";
import type { Exec, ExecRequest } from "#linux/exec.ts";
import { ExecError } from "#linux/exec-error.ts";
import { toolFailure } from "#linux/tool-failure.ts";
import { usage } from "./usage.ts";

const limitMs = 300_000;

/**
 * Grows a mounted file system to the end of its device. The tools exit 0 when there is nothing to do.
 * @returns its size in bytes as statfs tells, which is less than the device's by what it keeps for itself.
 */
export async function grow(exec: Exec, mounted: MountedFilesystem, ctx: Context): Promise<number> {
  const { mountPoint } = mounted;
  const before = await usage(exec, mountPoint, ctx);
  try {
    await exec({ ...growCommand(mounted), timeoutMs: limitMs }, ctx);
  } catch (error) {
    const act = `Cannot grow the file system at "${mountPoint}"`;
    throw lacksCapability(error, mounted) ?? toolFailure(act, error, "internal");
  }
  const { totalBytes } = await usage(exec, mountPoint, ctx);
  if (totalBytes > before.totalBytes)
    ctx.log.info({ mountPoint, fromBytes: before.totalBytes, totalBytes }, "Grew a file system");
  return totalBytes;
}

/** The kernel lets ext3 and ext4 grow only for CAP_SYS_RESOURCE. Source: ext4_resize_begin() in fs/ext4/resize.c. */
function lacksCapability(
  error: unknown,
  { fsType, mountPoint }: MountedFilesystem,
): DriverError | undefined {
  if (!(error instanceof ExecError) || !error.stderr.includes("Permission denied"))
    return undefined;
  return new DriverError(
    "failed-precondition",
    `Cannot grow the ${fsType} at "${mountPoint}": the kernel asks for the capability CAP_SYS_RESOURCE, which this process lacks`,
    { cause: error },
  );
}

function growCommand(mounted: MountedFilesystem): Omit<ExecRequest, "timeoutMs"> {
  const { fsType, device, mountPoint } = mounted;
  if (fsType === "ext4" || fsType === "ext3") return { file: "resize2fs", args: [device] };
  if (fsType === "xfs") return { file: "xfs_growfs", args: ["-d", mountPoint] };
  if (fsType === "btrfs")
    return { file: "btrfs", args: ["filesystem", "resize", "max", mountPoint] };
  throw new DriverError(
    "failed-precondition",
    `Cannot grow the file system at "${mountPoint}": "${fsType}" is not one this driver can grow`,
  );
}
