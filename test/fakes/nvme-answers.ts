import { ExecError } from "#linux/exec-error.ts";

/** What a system call answers. */
export class KernelRefusal extends Error {}

/** As the program that made the call tells it. */
export function failureOf(file: string, error: unknown): ExecError {
  if (!(error instanceof Error)) throw error;
  const words = {
    nvme: `Failed to write to /dev/nvme-fabrics: ${error.message}`,
    dd: `dd: error writing 'standard output': ${error.message}\n`,
  };
  const stderr = error instanceof KernelRefusal ? words[file as keyof typeof words] : error.message;
  return new ExecError(file, { reason: `failed with exit code 1: ${stderr}`, exitCode: 1, stderr });
}

/** `nqn=…` as a pair */
export function splitOption(arg: string): readonly [string, string] {
  const at = arg.indexOf("=");
  return [arg.slice(0, at), arg.slice(at + 1)];
}
