import { execFile } from "node:child_process";
import { mkdir, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * Mounts a Btrfs file system on a loop device below `directory`.
 * @param bytes - of the sparse file behind it.
 * @returns `undefined` where that takes rights or tools that are not there.
 */
export async function btrfsMount(
  directory: string,
  bytes = 256 * 2 ** 20,
): Promise<(AsyncDisposable & { readonly path: string }) | undefined> {
  const image = join(directory, "btrfs.img");
  const path = join(directory, "btrfs");
  await writeFile(image, "");
  await truncate(image, bytes);
  await mkdir(path);
  try {
    await run("mkfs.btrfs", ["--quiet", image]);
    await run("mount", ["-o", "loop", image, path]);
  } catch {
    return undefined;
  }
  return { path, [Symbol.asyncDispose]: async () => void (await run("umount", [path])) };
}
