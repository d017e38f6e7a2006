import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { programs } from "./compile.ts";
import { type Hardware, runMachine } from "./machine.ts";

/** A file of scenarios on one kernel. */
export interface Job {
  readonly series: string;
  readonly hardware: Hardware;
  readonly scenario: string;
  /** For the whole file, seconds; each of its scenarios has two thirds of it. */
  readonly limitSeconds: number;
}

export interface Outcome {
  readonly passed: boolean;
  /** Why not, or `ok`. */
  readonly verdict: string;
  readonly lines: readonly string[];
}

/** What scenarios may be told from outside: how many rounds to play in `rounds`, and volumes in `many-volumes`. */
const told = ["ROUNDS", "VOLUMES"];

function environment(): string {
  const known = told.filter((name) => process.env[name] !== undefined);
  return known.map((name) => `export ${name}='${Number(process.env[name])}'; `).join("");
}

/** What a file of scenarios wants of its kernel, such as `nvme_core.multipath=N`: on a line of its own, after `// kernel:`. */
function parametersOf(file: string): string {
  return /^\/\/ kernel: (.*)$/m.exec(readFileSync(file, "utf8"))?.[1] ?? "";
}

/** The outcome in TAP goes to the console at the end, each line with its mark, apart from what else is printed. */
export async function play(job: Job, project: string): Promise<Outcome> {
  const { hardware, scenario, limitSeconds } = job;
  const scenarioMs = Math.round((limitSeconds * 1_000 * 2) / 3);
  const lines: string[] = [];
  const tests = [
    ...["node_modules/.bin/node", "--enable-source-maps", "--test", "--test-isolation=none"],
    ...["--test-force-exit", `--test-timeout=${scenarioMs}`],
    ...[`--test-reporter=./${programs}/reporter.mjs`, "--test-reporter-destination=stdout"],
    ...["--test-reporter=tap", "--test-reporter-destination=/run/results.tap"],
    `${programs}/${basename(scenario, ".ts")}.mjs`,
  ];
  const status = await runMachine({
    ...hardware,
    command: `cd ${project}; export DAEMONS=${hardware.daemons}; ${environment()}
${tests.join(" ")}; status=$?
sed 's/^/TAP /' /run/results.tap; exit $status`,
    parameters: parametersOf(join(project, scenario)),
    memoryMiB: 1024,
    diskMiB: 4096,
    limitSeconds,
    onLine: (line) => lines.push(line),
  });
  return { passed: status === 0, verdict: verdictOf(status, limitSeconds), lines };
}

function verdictOf(status: number, limitSeconds: number): string {
  if (status === 0) return "ok";
  if (status === 124) return `FAILED (not over in ${limitSeconds} s)`;
  return status === 125 ? "FAILED (the machine did not come up)" : `FAILED (${status})`;
}
