import type { FsType } from "#domain/access-mode.ts";
import type { MakeRequest } from "#domain/ports/filesystems.ts";
import type { Context } from "#lib/context.ts";
import type { Exec } from "#linux/exec.ts";
import { toolFailure } from "#linux/tool-failure.ts";
import { longestToolMs } from "./longest-tool.ts";

/**
 * Force (`-F`, `-f`) makes the tools pass over what a killed mkfs left; all of them still refuse a device that
 * is mounted or held. Nothing is discarded (`nodiscard`, `-K`), because a new volume is a sparse file already
 * and discarding a large one takes minutes.
 */
const argsFor = {
  ext4: extArgs,
  ext3: extArgs,
  xfs: (options) => ["-q", "-f", "-K", ...options],
  btrfs: (options) => ["-q", "-f", "-K", ...options],
} as const satisfies Record<FsType, (options: readonly string[]) => string[]>;

/**
 * No blocks are kept back for root (`-m 0`): a volume is no root file system. mke2fs heeds only the last `-E`,
 * so all become one.
 */
function extArgs(options: readonly string[]): string[] {
  const isExtended = (index: number) => options[index - 1] === "-E";
  const extended = options.filter((_, index) => isExtended(index));
  const others = options.filter((word, index) => word !== "-E" && !isExtended(index));
  return ["-q", "-F", "-m", "0", "-E", ["nodiscard", ...extended].join(","), ...others];
}

/**
 * Makes a file system, whatever is on the device: the caller has proved that it may.
 * @throws {DriverError} `internal` with the tool's words, such as a volume that is too small for it.
 */
export async function make(
  exec: Exec,
  device: string,
  { fsType, options }: MakeRequest,
  ctx: Context,
): Promise<void> {
  const args = [...argsFor[fsType](options), device];
  try {
    await exec({ file: `mkfs.${fsType}`, args, timeoutMs: longestToolMs }, ctx);
  } catch (error) {
    throw toolFailure(`Cannot make a file system on "${device}"`, error, "internal");
  }
  ctx.log.info({ device, fsType, options }, "Made a file system");
}
