import { globSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { parseArgs } from "node:util";
import { compile } from "./compile.ts";
import { type Job, play } from "./play.ts";
import { bundle, obstacle, prepare } from "./prepare.ts";
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
    /** Machines side by side: each keeps a processor busy for three quarters of its time. */
    jobs: { type: "string", default: "3" },
    /** Times to play a file again that failed. Each is told: it is for CI, whose host may be busy with other things. */
    repeat: { type: "string", default: "0" },
    /** Seconds for a file, to end one that hangs: a walk of six minutes was not over after ten on a host with busy neighbours. */
    limit: { type: "string", default: "2400" },
  },
});

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** By its whole name, or a part of it that ends where it ends or at a hyphen. */
function isNamed(file: string, word: string): boolean {
  const name = basename(file, ".machine.ts");
  return name === word || name.startsWith(`${word}-`);
}

/** Minutes each: first, so that at the end no machine is alone with one of them. */
const long =
  /\/(fault-\w+|hold-stack|held-volume|long-outage|many-volumes|outage|rounds|snapshots)\.machine\.ts$/;

const scenarios = globSync(join(import.meta.dirname, "scenarios/*.machine.ts"))
  .map((file) => relative(project, file))
  .filter((file) => positionals.length === 0 || positionals.some((word) => isNamed(file, word)))
  .sort(
    (one, other) => Number(long.test(other)) - Number(long.test(one)) || (one < other ? -1 : 1),
  );

const reason = obstacle(project);
if (reason !== undefined) {
  say(reason);
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

async function run(job: Job, repeats: number): Promise<void> {
  const { series, scenario } = job;
  const started = Date.now();
  const { passed, verdict, lines } = await play(job, project);
  const isLast = passed || repeats === 0;
  const rest = isLast ? results.take(series, basename(scenario, ".machine.ts"), lines) : lines;
  const seconds = ((Date.now() - started) / 1000).toFixed(0);
  const outcome = isLast ? verdict : `REPEATED after ${verdict}`;
  say(
    [
      ...rest.map((line) => `  ${line}`),
      `${outcome}  kernel ${series}  ${scenario}  ${seconds} s`,
    ].join("\n"),
  );
  if (!isLast) return await run(job, repeats - 1);
  if (!passed) failedFiles += 1;
}

/** Takes jobs until none is left. */
async function worker(jobs: Job[]): Promise<void> {
  for (let job = jobs.shift(); job !== undefined; job = jobs.shift())
    await run(job, Number(values.repeat));
}

const jobs: Job[] = [];
for (const series of values.kernel) {
  const hardware = prepare(series, project);
  const wanted = scenarios.filter((file) => isWanted(series, file));
  const limitSeconds = Number(values.limit);
  jobs.push(...wanted.map((scenario) => ({ series, hardware, scenario, limitSeconds })));
}
const files = jobs.length;
// Make hands on what its group has got already: a second one must not end this amid its clearing away.
for (const [signal, status] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)
  process.on(signal, () => process.exit(status));
bundle(project);
await compile(scenarios, project);
await Promise.all(Array.from({ length: Number(values.jobs) }, () => worker(jobs)));
say(`\n${results.pauses()}\n${files - failedFiles} files passed, ${failedFiles} failed`);
say(results.counts());
process.exitCode = failedFiles === 0 && files > 0 ? 0 : 1;
