import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * Runs a program of the host by its arguments, never through a shell.
 * @returns What it wrote to standard output.
 * @throws {Error} with what it wrote to standard error, when it fails or takes longer than a minute.
 */
export async function runTool(program: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run(program, args, {
    encoding: "utf8",
    timeout: 60_000,
    env: { LC_ALL: "C", PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
  });
  return stdout;
}
