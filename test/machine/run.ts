import { spawnSync } from "node:child_process";
import { globSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { runMachine } from "./machine.ts";

/*
 * `make machine`: every scenario on the newest kernel, and some on an older one. Scenarios are node:test files that run inside the machine
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
if (statSync(project).dev !== statSync("/").dev) {
  say(
    `Cannot run the machine: it sees the host's root file system only, and "${project}" is on another one`,
  );
  process.exit(1);
}

/** Of the older kernel, what depends on its NVMe and device-mapper code; all of them with `--kernel 6.1`. */
const onOlderKernel = /\/(initiator|identity|hold-stack)\.machine\.ts$/;

function isWanted(series: string, file: string): boolean {
  const isDefault = values.kernel.length > 1 && positionals.length === 0;
  return !isDefault || series === values.kernel[0] || onOlderKernel.test(file);
}

/**
 * 124 = out of time, 125 = it did not come up, more = the test runner itself died by a signal: the machine broke, not
 * the driver. Under emulation Node.js now and then dies of SIGSEGV (139) in its first seconds; why is not known.
 */
const firstBrokenStatus = 124;

interface Outcome {
  readonly status: number;
  readonly output: readonly string[];
}

async function play(kernel: string, scenario: string): Promise<Outcome> {
  const output: string[] = [];
  const status = await runMachine({
    kernel,
    command: `cd ${project} && UDEV=${kernel}/udev exec node_modules/.bin/node --test --test-isolation=none --test-force-exit --test-timeout=150000 --test-reporter=./test/reporter.ts ${scenario}`,
    memoryMiB: 1024,
    diskMiB: 4096,
    limitSeconds: 400,
    onLine: (line) => output.push(`  ${line}`),
  });
  return { status, output };
}

/** @returns whether the scenario passed. */
async function run({ series, kernel, scenario }: Job): Promise<boolean> {
  const started = Date.now();
  let { status, output } = await play(kernel, scenario);
  for (let repeats = 0; status >= firstBrokenStatus && repeats < 4; repeats++) {
    const broken = `REPEATED  kernel ${series}  ${scenario}: the machine broke (${status})`;
    say([...output, broken].join("\n"));
    ({ status, output } = await play(kernel, scenario));
  }
  const seconds = ((Date.now() - started) / 1000).toFixed(0);
  const verdict = status === 0 ? "ok" : `FAILED (${status})`;
  say([...output, `${verdict}  kernel ${series}  ${scenario}  ${seconds} s`].join("\n"));
  return status === 0;
}

interface Job {
  readonly series: string;
  readonly kernel: string;
  readonly scenario: string;
}

/** Takes jobs until none is left. */
async function worker(jobs: Job[], outcomes: boolean[]): Promise<void> {
  for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) outcomes.push(await run(job));
}

const jobs: Job[] = [];
for (const series of values.kernel) {
  const kernel = prepare(series);
  const wanted = scenarios.filter((file) => isWanted(series, file));
  jobs.push(...wanted.map((scenario) => ({ series, kernel, scenario })));
}
bundle();
const outcomes: boolean[] = [];
// Two machines side by side: one alone leaves half of a small host idle.
await Promise.all([worker(jobs, outcomes), worker(jobs, outcomes)]);
const failed = outcomes.filter((passed) => !passed).length;
say(`${outcomes.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 && outcomes.length > 0 ? 0 : 1;
