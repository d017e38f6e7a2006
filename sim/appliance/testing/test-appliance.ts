import { Appliance, type ApplianceOptions } from "#sim/appliance/appliance.ts";
import { memoryBackEnd } from "#sim/appliance/memory-back-end.ts";
import type { Policy } from "#sim/appliance/policies.ts";
import type { SwitchValues } from "#sim/appliance/switch-table.ts";
import { Switches } from "#sim/appliance/switches.ts";
import { Console } from "#sim/console/console.ts";

/** What a line printed, without right padding and trailing blank lines, and why it failed. */
export interface Outcome {
  readonly text: string;
  readonly error: string | undefined;
  readonly stage: "ok" | "parse" | "run-time";
}

/** An appliance with a console, no SSH between. */
export interface TestAppliance {
  readonly appliance: Appliance;
  /** Runs a line; `signal` ends its session. */
  run(line: string, signal?: AbortSignal): Promise<Outcome>;
  /** Runs a line that must not fail and returns what it printed. */
  print(line: string): Promise<string>;
  /** `print detail as-value` of a menu as parsed JSON. */
  rows(menu: string, where?: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

type Options = Partial<Omit<ApplianceOptions, "switches">> & {
  readonly switches?: Partial<SwitchValues>;
  readonly policies?: readonly Policy[];
  readonly width?: number;
};

export async function testAppliance(options: Options = {}): Promise<TestAppliance> {
  const appliance = await Appliance.start({
    version: "7.24.1 (stable)",
    storagePackage: true,
    identity: "RDS2216",
    pools: [{ mountPoint: "pool", size: 2 ** 40 }],
    backEnd: memoryBackEnd(),
    stateFile: undefined,
    ...options,
    switches: new Switches(options.switches),
  });
  const tree = appliance.menuTree(new Set(options.policies ?? ["read", "write", "test"]));
  const console = new Console(tree, { width: options.width ?? 80 });
  const run: TestAppliance["run"] = async (line, signal = new AbortController().signal) => {
    const { output, errorText, stage } = await console.execute(line, signal);
    const text = output.replace(/[ \r]+$/gm, "").trimEnd();
    return { text, error: errorText, stage };
  };
  const print = async (line: string): Promise<string> => {
    const { text, error } = await run(line);
    if (error !== undefined) throw new Error(`"${line}" failed: ${error}`);
    return text;
  };
  const rows: TestAppliance["rows"] = async (menu, where) => {
    const filter = where === undefined ? "" : ` where ${where}`;
    const options = "options=json.no-string-conversion";
    const json = `:put [:serialize to=json ${options} [${menu}/print detail as-value${filter}]]`;
    return JSON.parse(await print(json));
  };
  return { appliance, run, print, rows };
}
