import { spawnSync } from "node:child_process";
import { globSync, statSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { parseArgs } from "node:util";
import { compile } from "./compile.ts";
import { type Job, play } from "./play.ts";
import { Results } from "./results.ts";

/*
 * `make machine`: every scenario on the newest kernel, and some on an older one. Scenarios are node:test files that run inside the machine
 * as root, against the kernel's own NVMe/TCP initiator and target.
 */
const project = join(import.meta.dirname, "../..");
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kernel: { type: "string", multiple: true, default: ["6.12", "6.1"] },
    /** Machines side by side: one alone leaves half of a small host idle. */
    jobs: { type: "string", default: "2" },
  },
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

/** By its whole name, or a part of it that ends where it ends or at a hyphen. */
function isNamed(file: string, word: string): boolean {
  const name = basename(file, ".machine.ts");
  return name === word || name.startsWith(`${word}-`);
}

const scenarios = globSync(join(import.meta.dirname, "scenarios/*.machine.ts"))
  .map((file) => relative(project, file))
  .filter((file) => positionals.length === 0 || positionals.some((word) => isNamed(file, word)))
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

const results = new Results(join(project, "dist/machine-results"));
let failedFiles = 0;

async function run(job: Job): Promise<void> {
  const { series, scenario } = job;
  const started = Date.now();
  const { passed, verdict, lines } = await play(job, project);
  if (!passed) failedFiles += 1;
  const rest = results.take(series, basename(scenario, ".machine.ts"), lines);
  const seconds = ((Date.now() - started) / 1000).toFixed(0);
  say(
    [
      ...rest.map((line) => `  ${line}`),
      `${verdict}  kernel ${series}  ${scenario}  ${seconds} s`,
    ].join("\n"),
  );
}

/** Takes jobs until none is left. */
async function worker(jobs: Job[]): Promise<void> {
  for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) await run(job);
}

const jobs: Job[] = [];
for (const series of values.kernel) {
  const kernel = prepare(series);
  const wanted = scenarios.filter((file) => isWanted(series, file));
  jobs.push(...wanted.map((scenario) => ({ series, kernel, scenario })));
}
const files = jobs.length;
bundle();
await compile(scenarios, project);
await Promise.all(Array.from({ length: Number(values.jobs) }, () => worker(jobs)));
say(`\n${results.pauses()}\n${files - failedFiles} files passed, ${failedFiles} failed`);
say(results.counts());
process.exitCode = failedFiles === 0 && files > 0 ? 0 : 1;
