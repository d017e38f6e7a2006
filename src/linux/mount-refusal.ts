import { ExecError } from "./exec-error.ts";

/**
 * What mount(8) says of a failure for which the file system is not to blame. Up to util-linux 2.38, and where the kernel
 * gives no reason, a mistaken option is in the same words as damage ("wrong fs type, bad option, bad superblock").
 * Sources: util-linux 2.38 to 2.41, libmount/src/context_mount.c; Linux, fs/fs_context.c, fs/fs_parser.c, fs/super.c.
 */
const refusals = [
  /unknown filesystem type/,
  /failed to parse mount options/,
  /Unknown parameter '/,
  /(Bad|Unexpected) value for '/,
  /already mounted/,
  /Can't open blockdev/,
];

/** Whether mount(8) failed for a reason that no check of the file system could find. */
export function isRefusal(error: unknown): boolean {
  return error instanceof ExecError && refusals.some((words) => words.test(error.stderr));
}
