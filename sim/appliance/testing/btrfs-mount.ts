import { execFile } from "node:child_process";
import { mkdir, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * Mounts a small Btrfs file system on a loop device below `directory`.
 * @returns `undefined` where that takes rights or tools that are not there.
 */
export async function btrfsMount(
  directory: string,
): Promise<(AsyncDisposable & { readonly path: string }) | undefined> {
  const image = join(directory, "btrfs.img");
  const path = join(directory, "btrfs");
  await writeFile(image, "");
  await truncate(image, 256 * 2 ** 20);
  await mkdir(path);
  try {
    await run("mkfs.btrfs", ["--quiet", image]);
    await run("mount", ["-o", "loop", image, path]);
  } catch {
    return undefined;
  }
  return { path, [Symbol.asyncDispose]: async () => void (await run("umount", [path])) };
}
