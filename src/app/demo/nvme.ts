import { existsSync, readdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import type { Context } from "#lib/context.ts";
import { Dmsetup } from "#linux/device-mapper/dmsetup.ts";
import { nqnOfHold } from "#linux/device-mapper/hold-name.ts";
import { LinuxHoldProbe } from "#linux/device-mapper/hold-probe.ts";
import type { Exec } from "#linux/exec.ts";
import { failureOf } from "#linux/exec-error.ts";
import { reasonAgainst } from "../holds.ts";
import { type KernelModulesParts, moduleState } from "../kernel-modules.ts";

/** Where the simulated appliance exports, and who listens there otherwise. */
export const dataAddress = "127.0.0.1";
export const dataPort = 4420;

const modules = ["nvme-tcp", "nvmet-tcp", "dm-multipath", "dm-service-time"];
const programs = ["dmsetup", "modprobe"];
const loadLimitMs = 20_000;

/** This machine, as far as real NVMe/TCP is about it. */
export interface NvmeHost extends KernelModulesParts {
  readonly exec: Exec;
  /** `/sys/kernel/config/nvmet` */
  readonly target: string;
  readonly port: number;
  readonly hasProgram: (name: string) => boolean;
}

export interface NvmeFinding {
  /** Why real NVMe/TCP cannot be used; `undefined` when it can. */
  readonly reason: string | undefined;
  /** Kernel modules that were loaded to find out. They stay. */
  readonly loaded: readonly string[];
}

/**
 * Whether the demo may be target and host of real NVMe/TCP here. It must be alone: exports of others in the kernel's
 * target, volumes of a driver, or somebody who listens on the port are reasons to keep away from all of it. Beyond
 * loading modules nothing is changed.
 */
export async function lookAtNvme(host: NvmeHost, ctx: Context): Promise<NvmeFinding> {
  const lacking = missingPart(host);
  if (lacking !== undefined) return { reason: lacking, loaded: [] };
  const absent = modules.filter((name) => moduleState(name, host) !== "loaded");
  const failure = await load(absent, host, ctx);
  const loaded = absent.filter((name) => moduleState(name, host) === "loaded");
  const reason =
    failure ?? othersHere(host) ?? (await listener(host)) ?? (await unholdable(host, ctx));
  return { reason, loaded };
}

function missingPart({ hasProgram, ...kernel }: NvmeHost): string | undefined {
  const module = modules.find((name) => moduleState(name, kernel) === "missing");
  if (module !== undefined) return `the running kernel has no module ${module}`;
  const program = programs.find((name) => !hasProgram(name));
  return program === undefined ? undefined : `the program ${program} is not installed`;
}

async function load(names: readonly string[], host: NvmeHost, ctx: Context) {
  if (names.length === 0) return undefined;
  const request = { file: "modprobe", args: ["-a", ...names], timeoutMs: loadLimitMs };
  const attempt = host.exec(request, ctx).then(() => {});
  return (await failureOf(attempt))?.message;
}

function othersHere({ sysfs, target }: NvmeHost): string | undefined {
  if (!existsSync(target)) return `"${target}" is missing: configfs is not mounted`;
  for (const kind of ["subsystems", "ports"]) {
    const [other] = readdirSync(join(target, kind));
    if (other !== undefined) return `the kernel's NVMe target is in use: ${kind} "${other}"`;
  }
  const isHold = (name: string) => nqnOfHold(sysfs.read("block", name, "dm", "uuid") ?? "");
  const hold = sysfs.list("block").find(isHold);
  return hold === undefined ? undefined : `a driver holds a volume on this machine: "${hold}"`;
}

/** Whoever has the port would be the target that nodes reach. */
function listener({ port }: NvmeHost): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", ({ message }) =>
      resolve(`port ${port} of ${dataAddress} cannot be used: ${message}`),
    );
    server.listen(port, dataAddress, () => server.close(() => resolve(undefined)));
  });
}

async function unholdable({ exec, sysfs }: NvmeHost, ctx: Context): Promise<string | undefined> {
  const support = await new LinuxHoldProbe(new Dmsetup(exec), sysfs).probe(ctx);
  return reasonAgainst(support, true);
}
