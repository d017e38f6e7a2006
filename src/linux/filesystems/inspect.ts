import { DriverError } from "#domain/errors.ts";
import type { BlockDevices } from "#domain/ports/block-devices.ts";
import type { DeviceContent } from "#domain/ports/filesystems.ts";
import { MiB } from "#lib/bytes.ts";
import type { Context } from "#lib/context.ts";
import type { Exec } from "#linux/exec.ts";
import { ExecError } from "#linux/exec-error.ts";
import { toolFailure } from "#linux/tool-failure.ts";
import { probe } from "./blkid.ts";

const readLimitMs = 30_000;

export interface InspectTools {
  readonly exec: Exec;
  readonly devices: Pick<BlockDevices, "sizeOf">;
}

/**
 * Tells what a device holds. It is blank only when blkid finds nothing twice and its first and last MiB,
 * where nearly every format has its marks, read as zero.
 * @throws {DriverError} `unavailable` when the device cannot be read or does not stay the same.
 */
export async function inspect(
  { exec, devices }: InspectTools,
  device: string,
  ctx: Context,
): Promise<DeviceContent> {
  const first = await probe(exec, device, ctx);
  if (first !== undefined) return first;
  const second = await probe(exec, device, ctx);
  if (second !== undefined)
    throw new DriverError(
      "unavailable",
      `Cannot tell what is on "${device}": blkid found nothing, then ${describe(second)}`,
    );
  const size = await devices.sizeOf(device, ctx);
  if (size === 0)
    throw new DriverError("unavailable", `Cannot tell what is on "${device}": its size is 0`);
  const length = Math.min(size, MiB);
  const blank =
    (await isZero(exec, { device, offset: 0, length }, ctx)) &&
    (await isZero(exec, { device, offset: size - length, length }, ctx));
  return blank ? { kind: "blank" } : { kind: "other", description: "unknown data" };
}

function describe(content: DeviceContent): string {
  if (content.kind === "filesystem") return content.fsType;
  return content.kind === "other" ? content.description : content.kind;
}

interface Range {
  readonly device: string;
  readonly offset: number;
  readonly length: number;
}

/**
 * Compares bytes with zeros, in a child because a device without answer blocks its reader. cmp(1) exits 0
 * only if every byte was read and equal, 1 at a difference, 2 in trouble; a short device says "EOF".
 */
async function isZero(exec: Exec, { device, offset, length }: Range, ctx: Context) {
  const act = `Cannot read "${device}" at byte ${offset}`;
  const args = [`--bytes=${length}`, `--ignore-initial=${offset}:0`, "--", device, "/dev/zero"];
  try {
    await exec({ file: "cmp", args, timeoutMs: readLimitMs }, ctx);
    return true;
  } catch (error) {
    const differs = error instanceof ExecError && error.exitCode === 1 && error.stderr === "";
    if (differs) return false;
    throw toolFailure(act, error, "unavailable");
  }
}
