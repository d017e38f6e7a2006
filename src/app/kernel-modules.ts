import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Sysfs } from "#linux/sysfs.ts";

/** `available`: the kernel has it as a file and loads it on demand, or when told to. */
export type ModuleState = "loaded" | "available" | "missing";

export interface KernelModulesParts {
  readonly sysfs: Sysfs;
  /** `/lib/modules/6.12.0-1-amd64` */
  readonly folder: string;
}

/** Whether a kernel module is there. @param name - with `-`, as its file is called: `nvme-tcp` */
export function moduleState(name: string, { sysfs, folder }: KernelModulesParts): ModuleState {
  if (sysfs.exists("module", name.replaceAll("-", "_"))) return "loaded";
  // One that is built in and has no parameters does not show in sysfs.
  if (lists(join(folder, "modules.builtin"), name)) return "loaded";
  return lists(join(folder, "modules.dep"), name) ? "available" : "missing";
}

/** kmod's lists name files, some with `_` where others have `-`: `kernel/drivers/md/dm-multipath.ko.xz` */
function lists(file: string, name: string): boolean {
  const pattern = new RegExp(`/${name.replaceAll("-", "[-_]")}\\.ko(\\.\\w+)?(:|$)`, "m");
  try {
    return pattern.test(readFileSync(file, "utf8"));
  } catch {
    return false;
  }
}
