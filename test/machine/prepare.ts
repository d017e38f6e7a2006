import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import type { Hardware } from "./machine.ts";

/** Why no machine can run here, as a sentence; `undefined` when nothing speaks against it. */
export function obstacle(project: string): string | undefined {
  if (process.getuid?.() !== 0)
    return "Cannot run the machine: it needs root, for virtiofsd and to install QEMU";
  return statSync(project).dev === statSync("/").dev
    ? undefined
    : `Cannot run the machine: it sees the host's root file system only, and "${project}" is on another one`;
}

/** Installs what is missing. @returns what boots, with a kernel of this series. */
export function prepare(series: string, project: string): Hardware & { readonly daemons: string } {
  const cache = join(project, "node_modules/.cache/machine");
  const kernel = join(cache, series);
  run(series, "prepare.sh", kernel, series);
  const daemons = join(cache, "daemons");
  run(series, "daemons.sh", daemons);
  const emulator = run(series, "emulator.sh", join(cache, "qemu"));
  return { kernel, daemons, emulator: emulator.trim().split("\n") };
}

function run(series: string, script: string, ...args: string[]): string {
  const { stdout, status } = spawnSync("bash", [join(import.meta.dirname, script), ...args], {
    stdio: ["inherit", "pipe", "inherit"],
    encoding: "utf8",
  });
  if (status === 0) return stdout;
  throw new Error(
    `Cannot prepare a machine with kernel ${series}: see above; it needs root, apt and Debian's packages`,
  );
}

/** The driver as the image ships it: in an emulated machine it starts in half the time of the sources. */
export function bundle(project: string): void {
  const { status } = spawnSync(process.execPath, ["scripts/bundle.ts"], {
    cwd: project,
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (status !== 0) throw new Error("Cannot bundle the driver: see above");
}
