import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Context } from "#lib/context.ts";
import { capSysResource, hasCapability, isInstalled } from "#linux/abilities.ts";
import { createExec } from "#linux/exec.ts";

/** What this machine lets the demo show, and what its kernel shows. */
export interface Machine {
  /** Whether file systems can be mounted at all: root and loop devices. */
  readonly mounts: boolean;
  /** Whether `fsType` can grow while mounted. */
  readonly growsMounted: boolean;
  readonly fsType: "ext4" | "xfs";
  /** What cannot be shown, and why, as sentences. */
  readonly lacks: readonly string[];
  /** Loop devices on images below `folder`, one a line. */
  readonly disks: (folder: string) => Promise<string>;
  readonly usage: (path: string) => Promise<string>;
  /** Names that the simulated appliance exports now. */
  readonly exports: (folder: string) => Promise<string[]>;
}

export function lookAround(ctx: Context): Machine {
  const mounts = process.getuid?.() === 0 && existsSync("/dev/loop-control");
  const mayGrowExt = hasCapability(capSysResource);
  const fsType = !mayGrowExt && isInstalled("mkfs.xfs") ? "xfs" : "ext4";
  const growsMounted = fsType === "xfs" || mayGrowExt;
  const exec = createExec();
  const run = async (file: string, ...args: readonly string[]) =>
    (await exec({ file, args, timeoutMs: 10_000 }, ctx)).stdout.trimEnd();
  return {
    mounts,
    growsMounted,
    fsType,
    lacks: lacks({ mounts, growsMounted }),
    disks: async (folder) => {
      const all = await run(
        "losetup",
        "--list",
        "--noheadings",
        "--output",
        "NAME,SIZELIMIT,BACK-FILE",
      );
      const names = all
        .split("\n")
        .filter((line) => line.includes(`${folder}/`))
        .map((line) => line.split(/\s+/)[0] ?? "");
      return names.length === 0
        ? ""
        : await run("lsblk", "--output", "NAME,SIZE,MAJ:MIN", ...names);
    },
    usage: (path) => run("df", "-h", "--output=source,fstype,size,used,target", path),
    exports: (folder) => readdir(join(folder, "appliance", "exports")),
  };
}

function lacks({
  mounts,
  growsMounted,
}: {
  readonly mounts: boolean;
  readonly growsMounted: boolean;
}): string[] {
  if (!mounts)
    return ["the nodes' half: mounting needs root and loop devices. Run it as root to see all"];
  return growsMounted
    ? []
    : [
        "growth of a mounted ext4: the kernel asks for CAP_SYS_RESOURCE, which root lacks on this machine. With xfsprogs installed the demo uses XFS, which grows without",
      ];
}
