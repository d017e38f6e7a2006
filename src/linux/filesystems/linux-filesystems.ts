import type { FsType } from "#domain/access-mode.ts";
import type {
  DeviceContent,
  Filesystems,
  FilesystemUsage,
  MakeRequest,
  MountedFilesystem,
} from "#domain/ports/filesystems.ts";
import type { Context } from "#lib/context.ts";
import type { Sysfs } from "#linux/sysfs.ts";
import { check } from "./check.ts";
import { countErrors } from "./count-errors.ts";
import { grow } from "./grow.ts";
import { type InspectTools, inspect } from "./inspect.ts";
import { make } from "./make.ts";
import { usage } from "./usage.ts";

export interface FilesystemTools extends InspectTools {
  readonly sysfs: Sysfs;
}

/** File systems by their own tools, each in a bounded child process. */
export class LinuxFilesystems implements Filesystems {
  readonly #tools: FilesystemTools;

  constructor(tools: FilesystemTools) {
    this.#tools = tools;
  }

  async inspect(device: string, ctx: Context): Promise<DeviceContent> {
    return inspect(this.#tools, device, ctx);
  }

  async make(device: string, request: MakeRequest, ctx: Context): Promise<void> {
    await make(this.#tools.exec, device, request, ctx);
  }

  async check(device: string, fsType: FsType, ctx: Context): Promise<void> {
    await check(this.#tools.exec, device, fsType, ctx);
  }

  async grow(mounted: MountedFilesystem, ctx: Context): Promise<number> {
    return grow(this.#tools.exec, mounted, ctx);
  }

  async usage(path: string, ctx: Context): Promise<FilesystemUsage> {
    return usage(this.#tools.exec, path, ctx);
  }

  async countErrors(majorMinor: string, _ctx: Context): Promise<number> {
    return countErrors(this.#tools.sysfs, majorMinor);
  }
}
