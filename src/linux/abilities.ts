import { accessSync, constants, readFileSync } from "node:fs";
import { join } from "node:path";

/** Lets ext3 and ext4 grow while they are mounted. Source: linux/capability.h. */
export const capSysResource = 24;

/** Whether this process has a capability in effect, by its number. */
export function hasCapability(number: number): boolean {
  const [, hex = "0"] =
    /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return ((BigInt(`0x${hex}`) >> BigInt(number)) & 1n) === 1n;
}

const folders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** Whether a program is where processes of this driver are looked up. */
export function isInstalled(program: string): boolean {
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
