import { mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GiB } from "#lib/bytes.ts";
import type { Context } from "#lib/context.ts";
import type { Exec } from "#linux/exec.ts";
import { failureOf } from "#linux/exec-error.ts";

/** Where the simulated appliance keeps its images. */
export interface DemoPool extends AsyncDisposable {
  /** A real Btrfs, which snapshots need; `undefined` = wherever the appliance keeps the rest. */
  readonly path: string | undefined;
  /** Why there is none. */
  readonly reason: string | undefined;
}

/** Sparse: what the demo writes is a few hundred MiB. */
const poolBytes = 8 * GiB;
const limitMs = 30_000;

/** Makes a Btrfs on a file of its own, apart from the stage, whose mounts are told one by one. Disposing ends it. */
export async function openPool(exec: Exec, ctx: Context): Promise<DemoPool> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "rds-csi-demo-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const [image, path] = [join(folder, "pool.img"), join(folder, "pool")];
  await mkdir(path);
  await writeFile(image, "");
  await truncate(image, poolBytes);
  const run = (file: string, ...args: readonly string[]) =>
    exec({ file, args, timeoutMs: limitMs }, ctx).then(() => {});
  const failure =
    (await failureOf(run("mkfs.btrfs", "--quiet", image))) ??
    (await failureOf(run("mount", "-o", "loop", image, path)));
  if (failure !== undefined) return without(`no Btrfs can be made: ${failure.message}`);
  stack.defer(() => run("umount", path));
  const end = stack.move();
  return { path, reason: undefined, [Symbol.asyncDispose]: () => end.disposeAsync() };
}

/** @param reason - `undefined` where it goes without saying. */
export function without(reason: string | undefined): DemoPool {
  return { path: undefined, reason, [Symbol.asyncDispose]: async () => {} };
}
