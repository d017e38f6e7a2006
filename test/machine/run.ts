import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { runMachine } from "./machine.ts";

/*
 * `make machine`: every scenario on every kernel. Scenarios are node:test files that run inside the machine
 * as root, against the kernel's own NVMe/TCP initiator and target.
 */
const project = join(import.meta.dirname, "../..");
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { kernel: { type: "string", multiple: true, default: ["6.12", "6.1"] } },
});

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function prepare(series: string): string {
  const out = join(project, "node_modules/.cache/machine", series);
  const { status } = spawnSync("bash", [join(import.meta.dirname, "prepare.sh"), out, series], {
    stdio: "inherit",
  });
  if (status !== 0)
    throw new Error(
      `Cannot prepare a machine with kernel ${series}: see above; it needs root, apt and Debian's packages`,
    );
  return out;
}

const scenarios = globSync(join(import.meta.dirname, "scenarios/*.machine.ts"))
  .map((file) => relative(project, file))
  .filter((file) => positionals.length === 0 || positionals.some((word) => file.includes(word)))
  .sort();

if (process.getuid?.() !== 0) {
  say("Cannot run the machine: it needs root, for virtiofsd and to install QEMU");
  process.exit(1);
}
let failed = 0;
for (const series of values.kernel) {
  const kernel = prepare(series);
  for (const scenario of scenarios) {
    const started = Date.now();
    const status = await runMachine({
      kernel,
      command: `cd ${project} && UDEV=${kernel}/udev exec node_modules/.bin/node --test --test-timeout=150000 --test-reporter=./test/reporter.ts ${scenario}`,
      memoryMiB: 1024,
      diskMiB: 4096,
      limitSeconds: 400,
      onLine: (line) => say(`  ${line}`),
    });
    say(
      `${status === 0 ? "ok" : `FAILED (${status})`}  kernel ${series}  ${scenario}  ${((Date.now() - started) / 1000).toFixed(0)} s`,
    );
    if (status !== 0) failed += 1;
  }
}
say(`${values.kernel.length * scenarios.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 && scenarios.length > 0 ? 0 : 1;
