import { globSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, join, relative } from "node:path";
import { parseArgs } from "node:util";
import { compile } from "./compile.ts";
import { Machine } from "./machine.ts";
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
    /** Machines side by side: each keeps a processor busy. Three on two of them took 113 s for each of a kind of file that two took 88 s for. */
    jobs: { type: "string", default: String(availableParallelism()) },
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

/** A file that is to be played, and what it wants of its machine. */
interface Turn extends Job {
  readonly series: string;
  /** Boots what it wants. */
  readonly machine: () => Machine;
  /** Whether no other file can be played in the same machine. */
  readonly isAlone: boolean;
}

/** @returns whether it passed. */
async function run(turn: Turn, machine: Machine, isLast: boolean): Promise<boolean> {
  const { series, scenario } = turn;
  const started = Date.now();
  const { passed, verdict, lines } = await play(turn, machine, project);
  const counts = passed || isLast;
  const rest = counts ? results.take(series, basename(scenario, ".machine.ts"), lines) : lines;
  const seconds = ((Date.now() - started) / 1000).toFixed(0);
  const outcome = counts ? verdict : `REPEATED after ${verdict}`;
  say(
    [
      ...rest.map((line) => `  ${line}`),
      `${outcome}  kernel ${series}  ${scenario}  ${seconds} s`,
    ].join("\n"),
  );
  return passed;
}

/**
 * Plays files until none is left, one after another in one machine, which spares booting it and reading all programs for each. After
 * one that failed the machine is not to be trusted, and the next file gets a new one.
 */
async function worker(turns: Turn[]): Promise<void> {
  using shared = new Shared();
  for (let turn = turns.shift(); turn !== undefined; turn = turns.shift()) {
    let passed = false;
    for (let repeats = Number(values.repeat); !passed && repeats >= 0; repeats--) {
      if (turn.isAlone) {
        using machine = turn.machine();
        passed = await run(turn, machine, repeats === 0);
      } else passed = await run(turn, shared.of(turn), repeats === 0);
      if (!passed) shared.end();
    }
    if (!passed) failedFiles += 1;
  }
}

/** The machine of a worker, if it has one. */
class Shared implements Disposable {
  #series = "";
  #machine: Machine | undefined;

  of({ series, machine }: Turn): Machine {
    if (series !== this.#series) this.end();
    this.#series = series;
    this.#machine ??= machine();
    return this.#machine;
  }

  end(): void {
    this.#machine?.[Symbol.dispose]();
    this.#machine = undefined;
  }

  [Symbol.dispose](): void {
    this.end();
  }
}

/** What a file wants of its kernel, such as `nvme_core.multipath=N`, after `// kernel:`, and `// machine: its own` where it leaves it changed. */
function wishesOf(file: string) {
  const text = readFileSync(join(project, file), "utf8");
  const [, parameters] = /^\/\/ kernel: (.*)$/m.exec(text) ?? [];
  const isAlone = parameters !== undefined || /^\/\/ machine: its own$/m.test(text);
  return { parameters: parameters ?? "", isAlone };
}

const turns: Turn[] = [];
for (const series of values.kernel) {
  const { daemons, ...hardware } = prepare(series, project);
  const limitSeconds = Number(values.limit);
  for (const scenario of scenarios.filter((file) => isWanted(series, file))) {
    const { parameters, isAlone } = wishesOf(scenario);
    const size = { memoryMiB: 1024, diskMiB: 4096 };
    const machine = () => new Machine({ ...hardware, ...size, parameters });
    turns.push({ series, scenario, daemons, limitSeconds, machine, isAlone });
  }
}
const files = turns.length;
// Make hands on what its group has got already: a second one must not end this amid its clearing away.
for (const [signal, status] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)
  process.on(signal, () => process.exit(status));
bundle(project);
await compile(scenarios, project);
await Promise.all(Array.from({ length: Number(values.jobs) }, () => worker(turns)));
say(`\n${results.pauses()}\n${files - failedFiles} files passed, ${failedFiles} failed`);
say(results.counts());
process.exitCode = failedFiles === 0 && files > 0 ? 0 : 1;
