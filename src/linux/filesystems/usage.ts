import { DriverError } from "#domain/errors.ts";
import type { FilesystemUsage } from "#domain/ports/filesystems.ts";
import type { Context } from "#lib/context.ts";
import type { Exec } from "#linux/exec.ts";
import { toolFailure } from "#linux/tool-failure.ts";

const limitMs = 10_000;

/**
 * statfs(2) by stat(1), for about a millisecond: in this process a dead mount would hold a thread of Node's
 * pool for ever, and four of them would stop all file access; a node process of its own costs 40 MiB.
 */
export async function usage(exec: Exec, path: string, ctx: Context): Promise<FilesystemUsage> {
  const act = `Cannot read the usage of "${path}"`;
  try {
    const args = ["-f", "-c", "%S %b %f %a %c %d", "--", path];
    const { stdout } = await exec({ file: "stat", args, timeoutMs: limitMs }, ctx);
    return parseStatfs(stdout, act);
  } catch (error) {
    throw toolFailure(act, error, "unavailable");
  }
}

function parseStatfs(text: string, act: string): FilesystemUsage {
  const match = /^(\d+) (\d+) (\d+) (\d+) (\d+) (\d+)\n?$/.exec(text);
  if (match === null) throw new DriverError("internal", `${act}: stat printed "${text.trim()}"`);
  const [, blockBytes = 0, total = 0, free = 0, available = 0, inodes = 0, freeInodes = 0] =
    match.map(Number);
  return {
    totalBytes: total * blockBytes,
    availableBytes: available * blockBytes,
    usedBytes: (total - free) * blockBytes,
    totalInodes: inodes,
    freeInodes,
  };
}
