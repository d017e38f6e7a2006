import { existsSync, readFileSync } from "node:fs";
import test, { type TestContext } from "node:test";
import { hasCapability, isInstalled } from "#linux/abilities.ts";

export interface RootNeeds {
  /** Programs, by name. */
  readonly tools?: readonly string[];
  /** File systems the kernel must know. */
  readonly filesystems?: readonly string[];
  /** Numbers of capabilities, as in linux/capability.h. */
  readonly capabilities?: readonly number[];
}

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
  const capability = capabilities.find((number) => !hasCapability(number));
  return capability === undefined
    ? undefined
    : `needs capability ${capability}, which root lacks here`;
}
