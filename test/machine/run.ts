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

/** The driver as the image ships it: in an emulated machine it starts in half the time of the sources. */
function bundle(): void {
  const { status } = spawnSync(process.execPath, ["scripts/bundle.ts"], {
    cwd: project,
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (status !== 0) throw new Error("Cannot bundle the driver: see above");
}

const scenarios = globSync(join(import.meta.dirname, "scenarios/*.machine.ts"))
  .map((file) => relative(project, file))
  .filter((file) => positionals.length === 0 || positionals.some((word) => file.includes(word)))
  .sort();

if (process.getuid?.() !== 0) {
  say("Cannot run the machine: it needs root, for virtiofsd and to install QEMU");
  process.exit(1);
}
/** 124 = out of time, 125 = it did not come up, more = the test runner itself died: the machine broke, not the driver. */
const firstBrokenStatus = 124;

interface Outcome {
  readonly status: number;
  readonly output: readonly string[];
}

async function play(kernel: string, scenario: string): Promise<Outcome> {
  const output: string[] = [];
  const status = await runMachine({
    kernel,
    command: `cd ${project} && UDEV=${kernel}/udev exec node_modules/.bin/node --test --test-timeout=150000 --test-reporter=./test/reporter.ts ${scenario}`,
    memoryMiB: 1024,
    diskMiB: 4096,
    limitSeconds: 400,
    onLine: (line) => output.push(`  ${line}`),
  });
  return { status, output };
}

/** All scenarios on one kernel, one after another. @returns how many failed. */
async function lane(series: string, kernel: string): Promise<number> {
  let failed = 0;
  for (const scenario of scenarios) {
    const started = Date.now();
    let { status, output } = await play(kernel, scenario);
    if (status >= firstBrokenStatus) {
      say(
        [...output, `REPEATED  kernel ${series}  ${scenario}: the machine broke (${status})`].join(
          "\n",
        ),
      );
      ({ status, output } = await play(kernel, scenario));
    }
    const seconds = ((Date.now() - started) / 1000).toFixed(0);
    const verdict = status === 0 ? "ok" : `FAILED (${status})`;
    say([...output, `${verdict}  kernel ${series}  ${scenario}  ${seconds} s`].join("\n"));
    if (status !== 0) failed += 1;
  }
  return failed;
}

bundle();
// apt takes one at a time; the machines themselves run side by side, one for each kernel.
const kernels = values.kernel.map((series) => [series, prepare(series)] as const);
const failures = await Promise.all(kernels.map(([series, kernel]) => lane(series, kernel)));
const failed = failures.reduce((sum, count) => sum + count, 0);
say(`${kernels.length * scenarios.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 && scenarios.length > 0 ? 0 : 1;
