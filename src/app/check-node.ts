import { existsSync } from "node:fs";
import { release } from "node:os";
import type { Config } from "#config/config.ts";
import type { Context } from "#lib/context.ts";
import { Dmsetup } from "#linux/device-mapper/dmsetup.ts";
import { LinuxHoldProbe } from "#linux/device-mapper/hold-probe.ts";
import { createExec, type Exec } from "#linux/exec.ts";
import { ExecError } from "#linux/exec-error.ts";
import { LinuxMounts } from "#linux/mounts.ts";
import { hostPlaces } from "#linux/nvme/host-origin.ts";
import { Sysfs } from "#linux/sysfs.ts";
import { holdFindings } from "./check-holds.ts";
import { hostFindings } from "./check-host.ts";
import { stateFindings } from "./check-state.ts";
import { type CheckedPart, type Finding, ok, problem, warning } from "./finding.ts";
import { type KernelModulesParts, moduleState } from "./kernel-modules.ts";

/** Programs that no node can do without; the others belong to one file system each. */
const required = ["mount", "umount", "blkid", "blockdev", "stat", "cmp"];
const perFilesystem = {
  ext4: ["mkfs.ext4", "resize2fs"],
  xfs: ["mkfs.xfs", "xfs_growfs"],
  btrfs: ["mkfs.btrfs", "btrfs"],
};

const toolLimitMs = 5_000;

/** Looks whether this machine can attach and hold volumes; leaves nothing changed. */
export async function checkNode(config: Config, ctx: Context): Promise<CheckedPart[]> {
  const exec = createExec();
  const kernel = { sysfs: new Sysfs("/sys"), folder: `/lib/modules/${release()}` };
  const attaching =
    config.node.initiator.type === "loop" ? loopFindings(config) : nvmeFindings(kernel);
  return [
    { title: `Kernel ${release()}`, findings: attaching },
    ...(await holdParts(config, kernel.sysfs, exec, ctx)),
    { title: "Programs", findings: await programFindings(config, exec, ctx) },
    { title: "This node", findings: await nodeFindings(config, kernel.sysfs, ctx) },
  ];
}

function nvmeFindings(kernel: KernelModulesParts): Finding[] {
  const tcp = {
    loaded: ok("Module nvme-tcp is loaded"),
    available: problem("Module nvme-tcp is not loaded: run modprobe nvme-tcp on the host"),
    missing: problem("Module nvme-tcp is missing: this kernel cannot attach volumes"),
  };
  return [tcp[moduleState("nvme-tcp", kernel)], nativeMultipath(kernel)];
}

function nativeMultipath({ sysfs }: KernelModulesParts): Finding {
  const value = sysfs.read("module", "nvme_core", "parameters", "multipath");
  if (value === "Y") return ok("Native NVMe multipath is on");
  const state = value === undefined ? "unknown, nvme-core is not loaded" : "off";
  return warning(`Native NVMe multipath is ${state}: one data address of each appliance is used`);
}

function loopFindings({ node }: Config): Finding[] {
  const { exportsDirectory = "" } = node.initiator;
  return [
    warning("Volumes are loop devices on the simulator's images: for demonstrations only"),
    existsSync(exportsDirectory)
      ? ok(`The simulator's exports are in "${exportsDirectory}"`)
      : problem(`Cannot find the simulator's exports: "${exportsDirectory}" does not exist`),
  ];
}

/** Loop devices know no outage, and are not held. */
async function holdParts(
  { node }: Config,
  sysfs: Sysfs,
  exec: Exec,
  ctx: Context,
): Promise<CheckedPart[]> {
  if (node.initiator.type === "loop") return [];
  const support = await new LinuxHoldProbe(new Dmsetup(exec), sysfs).probe(ctx);
  const host = { sysfs, proc: "/proc", runUdev: "/run/udev" };
  return [{ title: "Lost connections", findings: holdFindings(support, host) }];
}

async function programFindings(config: Config, exec: Exec, ctx: Context): Promise<Finding[]> {
  const { type } = config.node.initiator;
  const needed = [...required, type === "loop" ? "losetup" : "dd"];
  const missing = await missingAmong(needed, exec, ctx);
  const optional = await Promise.all(
    Object.entries(perFilesystem).map(async ([fsType, files]) => {
      const absent = await missingAmong(files, exec, ctx);
      return absent.length === 0
        ? ok(`File system ${fsType} can be made and grown`)
        : warning(`File system ${fsType} cannot be used: ${absent.join("; ")}`);
    }),
  );
  return [
    ...missing.map((reason) => problem(reason)),
    ...(missing.length === 0 ? [ok(`${needed.join(", ")} are installed`)] : []),
    ...optional,
  ];
}

async function missingAmong(
  files: readonly string[],
  exec: Exec,
  ctx: Context,
): Promise<readonly string[]> {
  const reasons = await Promise.all(files.map((file) => absence(file, exec, ctx)));
  return reasons.filter((reason) => reason !== undefined);
}

/** Any answer will do: some programs do not know `--version`. */
async function absence(file: string, exec: Exec, ctx: Context): Promise<string | undefined> {
  try {
    await exec({ file, args: ["--version"], timeoutMs: toolLimitMs }, ctx);
    return undefined;
  } catch (error) {
    if (!(error instanceof ExecError)) throw error;
    return error.notInstalled ? error.message : undefined;
  }
}

async function nodeFindings(config: Config, sysfs: Sysfs, ctx: Context): Promise<Finding[]> {
  const { stateDirectory: state } = config.node;
  return [
    nodeFinding(config),
    ...(await stateFindings(state, new LinuxMounts(createExec()), ctx)),
    ...(await hostFindings({ etcNvme: "/etc/nvme", state }, hostPlaces, sysfs)),
  ];
}

function nodeFinding({ nodeId }: Config): Finding {
  return nodeId === undefined
    ? problem("This node has no name: set nodeId (--node-id, RDS_CSI_NODE_ID)")
    : ok(`This node is "${nodeId}"`);
}
