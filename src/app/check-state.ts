import type { Mount, Mounts } from "#domain/ports/mounts.ts";
import type { Context } from "#lib/context.ts";
import { type Finding, ok, warning } from "./finding.ts";

/** File systems whose content ends with the container or with the machine. */
const passing: ReadonlySet<string> = new Set(["tmpfs", "ramfs", "overlay"]);

/** Whether what a node must remember outlives the process that remembers it. */
export async function stateFindings(
  stateDirectory: string,
  mounts: Pick<Mounts, "list">,
  ctx: Context,
): Promise<Finding[]> {
  const fsType = passingFsType(stateDirectory, await mounts.list(ctx));
  return [
    fsType === undefined
      ? ok(`What this node must remember is kept in ${stateDirectory}`)
      : warning(
          `What this node must remember is kept in ${stateDirectory}, on ${fsType}: it must outlive the container, so mount a folder of the host there`,
        ),
  ];
}

/** @returns the type of the file system that a folder is on, if that does not last. */
export function passingFsType(folder: string, mounts: readonly Mount[]): string | undefined {
  const above = mounts.filter(({ target }) => isIn(folder, target));
  const longest = Math.max(...above.map(({ target }) => target.length));
  const fsType = above.findLast(({ target }) => target.length === longest)?.fsType;
  return fsType !== undefined && passing.has(fsType) ? fsType : undefined;
}

function isIn(folder: string, target: string): boolean {
  return target === "/" || folder === target || folder.startsWith(`${target}/`);
}
