import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";

export interface RootNeeds {
  /** Programs, by name. */
  readonly tools?: readonly string[];
  /** File systems the kernel must know. */
  readonly filesystems?: readonly string[];
  /** Numbers of capabilities, as in linux/capability.h. */
  readonly capabilities?: readonly number[];
}

/** Lets resize2fs grow a mounted ext4. */
export const capSysResource = 24;

/** A test on the real machine; it is skipped, saying why, where the machine lacks what it needs. */
export function rootTest(
  name: string,
  needs: RootNeeds,
  run: (t: TestContext) => Promise<void>,
): void {
  const missing = missingFor(needs);
  test(name, missing === undefined ? {} : { skip: missing }, run);
}

function missingFor({ tools = [], filesystems = [], capabilities = [] }: RootNeeds) {
  if (process.getuid?.() !== 0) return "needs root";
  if (!existsSync("/dev/loop-control")) return "needs loop devices";
  const tool = tools.find((name) => !isInstalled(name));
  if (tool !== undefined) return `needs the program "${tool}"`;
  const known = readFileSync("/proc/filesystems", "utf8").split(/\s+/);
  const filesystem = filesystems.find((name) => !known.includes(name));
  if (filesystem !== undefined) return `needs a kernel with ${filesystem}`;
  const capability = capabilities.find((number) => !isEffective(number));
  return capability === undefined
    ? undefined
    : `needs capability ${capability}, which root lacks here`;
}

function isInstalled(name: string): boolean {
  return ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"].some(
    (folder) => {
      try {
        accessSync(join(folder, name), constants.X_OK);
        return true;
      } catch {
        return false;
      }
    },
  );
}

function isEffective(capability: number): boolean {
  const [, hex = "0"] =
    /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return ((BigInt(`0x${hex}`) >> BigInt(capability)) & 1n) === 1n;
}
