import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { release } from "node:os";
import { join } from "node:path";
import type { Context } from "#lib/context.ts";
import { capSysResource, hasCapability, isInstalled } from "#linux/abilities.ts";
import { createExec } from "#linux/exec.ts";
import { Sysfs } from "#linux/sysfs.ts";
import { dataPort, lookAtNvme, type NvmeFinding } from "./nvme.ts";
import { heldNqns, viewOf } from "./nvme-view.ts";

/** What this machine lets the demo show, and what its kernel shows. */
export interface Machine {
  /** Whether file systems can be mounted at all: root and loop devices. */
  readonly mounts: boolean;
  /** Whether volumes reach the nodes by NVMe/TCP; otherwise as loop devices. */
  readonly nvme: boolean;
  /** Kernel modules that the demo has loaded. */
  readonly loaded: readonly string[];
  /** Whether `fsType` can grow while mounted. */
  readonly growsMounted: boolean;
  readonly fsType: "ext4" | "xfs";
  /** What cannot be shown, and why, as sentences. */
  readonly lacks: readonly string[];
  /** The demo's disks on nodes, with images below `folder`, one a line. */
  readonly disks: (folder: string) => Promise<string>;
  readonly usage: (path: string) => Promise<string>;
  /** Names that the simulated appliance exports now. */
  readonly exports: (folder: string) => Promise<string[]>;
}

type Run = (file: string, ...args: readonly string[]) => Promise<string>;

const target = "/sys/kernel/config/nvmet";
const sysfs = new Sysfs("/sys");

export async function lookAround(ctx: Context): Promise<Machine> {
  const mounts = process.getuid?.() === 0 && existsSync("/dev/loop-control");
  const mayGrowExt = hasCapability(capSysResource);
  const fsType = !mayGrowExt && isInstalled("mkfs.xfs") ? "xfs" : "ext4";
  const growsMounted = fsType === "xfs" || mayGrowExt;
  const exec = createExec();
  const kernel = { sysfs, folder: `/lib/modules/${release()}` };
  const host = { exec, target, port: dataPort, hasProgram: isInstalled, ...kernel };
  const finding = mounts ? await lookAtNvme(host, ctx) : undefined;
  const nvme = finding !== undefined && finding.reason === undefined;
  const run: Run = async (file, ...args) =>
    (await exec({ file, args, timeoutMs: 10_000 }, ctx)).stdout.trimEnd();
  return {
    mounts,
    nvme,
    loaded: finding?.loaded ?? [],
    growsMounted,
    fsType,
    lacks: lacks(finding, growsMounted),
    disks: nvme ? heldDisks : (folder) => loopDisks(folder, run),
    usage: (path) => run("df", "-h", "--output=source,fstype,size,used,target", path),
    exports: (folder) =>
      readdir(nvme ? join(target, "subsystems") : join(folder, "appliance", "exports")),
  };
}

/** Only the demo's own are there: it would not have begun otherwise. */
async function heldDisks(): Promise<string> {
  return heldNqns(sysfs)
    .map((nqn) => viewOf(nqn, sysfs).text)
    .join("\n");
}

async function loopDisks(folder: string, run: Run): Promise<string> {
  const columns = "NAME,SIZELIMIT,BACK-FILE";
  const all = await run("losetup", "--list", "--noheadings", "--output", columns);
  const names = all
    .split("\n")
    .filter((line) => line.includes(`${folder}/`))
    .map((line) => line.split(/\s+/)[0] ?? "");
  return names.length === 0 ? "" : await run("lsblk", "--output", "NAME,SIZE,MAJ:MIN", ...names);
}

/** @param nvme - `undefined` where nothing can be mounted. */
function lacks(nvme: NvmeFinding | undefined, growsMounted: boolean): string[] {
  if (nvme === undefined)
    return [
      "the nodes' half, and the rescue by a snapshot: mounting needs root and loop devices. Run it as root to see all",
    ];
  const { reason } = nvme;
  return [
    ...(reason === undefined
      ? []
      : [`the return of a lost connection: ${reason}. Loop devices stand in for NVMe/TCP`]),
    ...(growsMounted
      ? []
      : [
          "growth of a mounted ext4: the kernel asks for CAP_SYS_RESOURCE, which root lacks on this machine. With xfsprogs installed the demo uses XFS, which grows without",
        ]),
  ];
}
