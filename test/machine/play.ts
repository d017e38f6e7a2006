import { basename } from "node:path";
import { programs } from "./compile.ts";
import type { Machine } from "./machine.ts";

/** A file of scenarios on one kernel. */
export interface Job {
  readonly scenario: string;
  /** Folder made by daemons.sh: what the machine may put over its root, to be a host with these daemons. */
  readonly daemons: string;
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

function environment(): string[] {
  const known = told.filter((name) => process.env[name] !== undefined);
  return known.map((name) => `export ${name}=${Number(process.env[name])}`);
}

/** The outcome in TAP, and the pauses, go to the console at the end, each line with its mark, apart from what else is printed. */
export async function play(job: Job, machine: Machine, project: string): Promise<Outcome> {
  const { scenario, daemons, limitSeconds } = job;
  const scenarioMs = Math.round((limitSeconds * 1_000 * 2) / 3);
  const lines: string[] = [];
  const tests = [
    ...["node_modules/.bin/node", "--enable-source-maps", "--test", "--test-isolation=none"],
    ...["--test-force-exit", `--test-timeout=${scenarioMs}`],
    ...[`--test-reporter=./${programs}/reporter.mjs`, "--test-reporter-destination=stdout"],
    ...["--test-reporter=tap", "--test-reporter-destination=/run/results.tap"],
    `${programs}/${basename(scenario, ".ts")}.mjs`,
  ];
  const status = await machine.run({
    line: [
      ...[`cd ${project}`, `export DAEMONS=${daemons}`, ...environment()],
      // A third of a start is compiling, which is done once in a machine: by files before this one, too.
      "export NODE_COMPILE_CACHE=/run/compile-cache",
      ...[
        "rm -f /run/results.tap; : >/run/pauses",
        tests.join(" "),
        "status=$?",
        "sed 's/^/TAP /' /run/results.tap; sed 's/^/PAUSE /' /run/pauses",
        "exit $status",
      ],
    ].join("; "),
    limitSeconds,
    onLine: (line) => lines.push(line),
  });
  return { passed: status === 0, verdict: verdictOf(status, limitSeconds), lines };
}

function verdictOf(status: number, limitSeconds: number): string {
  if (status === 0) return "ok";
  if (status === 124) return `FAILED (not over in ${limitSeconds} s)`;
  return status === 125
    ? "FAILED (the machine did not come up, or went down)"
    : `FAILED (${status})`;
}
