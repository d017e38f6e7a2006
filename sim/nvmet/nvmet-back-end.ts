import { accessSync, constants, existsSync } from "node:fs";
import { mkdir, realpath } from "node:fs/promises";
import { dirname } from "node:path";
import type { BackEnd } from "#sim/appliance/back-end.ts";
import { DirectoryFiles } from "#sim/appliance/directory-files.ts";
import { directorySubvolumes } from "#sim/appliance/directory-subvolumes.ts";
import type { Switches } from "#sim/appliance/switches.ts";
import { type Groups, kernelGroups } from "./groups.ts";
import { hostLoopDevices, type LoopDevices } from "./loop-device.ts";
import { NvmetFabric } from "./nvmet-fabric.ts";

export interface NvmetBackEndOptions {
  /** Folder of the images, one directory per mount point. */
  readonly data: string;
  /** Where the target listens. */
  readonly address: string;
  readonly switches: Switches;
  /** Default the kernel's own. */
  readonly configfs?: string;
  readonly groups?: Groups;
  readonly loops?: LoopDevices;
}

/**
 * Real files, exported by this host's kernel over NVMe/TCP.
 * @throws {Error} saying what this host lacks.
 */
export async function nvmetBackEnd(
  options: NvmetBackEndOptions,
): Promise<BackEnd & { readonly fabric: NvmetFabric }> {
  const { configfs = "/sys/kernel/config/nvmet" } = options;
  requireTarget(configfs);
  await mkdir(options.data, { recursive: true });
  // The kernel reports paths as they really are.
  const data = await realpath(options.data);
  const files = new DirectoryFiles(data);
  const subvolumes = await directorySubvolumes(data, files);
  const parts = { groups: kernelGroups, loops: hostLoopDevices, ...options, configfs, data };
  return { files, subvolumes, fabric: new NvmetFabric(parts) };
}

function requireTarget(configfs: string): void {
  const refusal = (reason: string): Error => new Error(`Cannot use back end "nvmet": ${reason}`);
  if (!existsSync(dirname(configfs)))
    throw refusal(
      `"${dirname(configfs)}" is missing; run "modprobe configfs" and "mount -t configfs configfs ${dirname(configfs)}"`,
    );
  if (!existsSync(configfs))
    throw refusal(
      `"${configfs}" is missing; run "modprobe nvmet-tcp", or mount configfs at "${dirname(configfs)}"`,
    );
  try {
    accessSync(configfs, constants.W_OK);
  } catch {
    throw refusal(`"${configfs}" may not be written, the kernel's target takes orders from root`);
  }
}
