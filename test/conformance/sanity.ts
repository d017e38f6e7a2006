import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The newest release; `go install` builds it once. */
const version = "v5.6.0";

export interface SanityResult {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly SkippedSpec[];
  readonly exitCode: number | null;
}

export interface SkippedSpec {
  readonly name: string;
  readonly reason: string;
}

/** Builds csi-sanity into `cache`. @throws {Error} without Go. */
export function installSanity(cache: string): string {
  const folder = join(cache, `csi-test-${version}`);
  const binary = join(folder, "csi-sanity");
  if (existsSync(binary)) return binary;
  if (spawnSync("go", ["version"]).status !== 0)
    throw new Error("Cannot install csi-sanity: Go is missing; install it, version 1.25 or newer");
  mkdirSync(folder, { recursive: true });
  const { status } = spawnSync(
    "go",
    ["install", `github.com/kubernetes-csi/csi-test/v5/cmd/csi-sanity@${version}`],
    {
      env: { ...process.env, GOBIN: folder, GOFLAGS: "" },
      stdio: ["ignore", "inherit", "inherit"],
    },
  );
  if (status !== 0)
    throw new Error(`Cannot install csi-sanity ${version}: go install failed, see above`);
  return binary;
}

/** Runs every spec. What it printed is in `output`, written as it comes. */
export async function runSanity(
  binary: string,
  flags: Readonly<Record<string, string>>,
  output: (text: string) => void,
): Promise<SanityResult> {
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  const child = spawn(binary, args, { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.setEncoding("utf8").on("data", output);
  child.stderr.setEncoding("utf8").on("data", output);
  const exitCode = await new Promise<number | null>((resolve) => child.once("close", resolve));
  const report = flags["csi.junitfile"] ?? "";
  return { ...readReport(existsSync(report) ? readFileSync(report, "utf8") : ""), exitCode };
}

/** Counts the specs of Ginkgo's JUnit report; suite hooks are not specs. */
function readReport(xml: string): Omit<SanityResult, "exitCode"> {
  const cases = [
    ...xml.matchAll(
      /<testcase name="([^"]*)"[^>]*status="(\w+)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g,
    ),
  ];
  const specs = cases.filter(([, name = ""]) => name.startsWith("[It]"));
  const count = (...states: readonly string[]) =>
    specs.filter(([, , status = ""]) => states.includes(status)).length;
  const skipped = specs
    .filter(([, , status]) => status === "skipped" || status === "pending")
    .map(([, name = "", , body = ""]) => ({
      name,
      reason: /message="([^"]*)"/.exec(body)?.[1] ?? "",
    }));
  return {
    passed: count("passed"),
    failed: specs.length - count("passed", "skipped", "pending"),
    skipped,
  };
}
