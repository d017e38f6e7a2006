import { inspect } from "node:util";

interface TestEvent {
  readonly type: string;
  readonly data: {
    readonly name: string;
    readonly nesting: number;
    readonly file?: string;
    readonly line?: number;
    readonly skip?: boolean | string;
    readonly details: { readonly type?: string; readonly error?: { readonly cause?: unknown } };
  };
}

/** Failures in full, skipped tests with their reason, everything else as one closing line. */
// biome-ignore lint/style/noDefaultExport: node:test takes a reporter as default export
export default async function* reporter(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const count = { passed: 0, failed: 0, skipped: 0 };
  const started = Date.now();
  for await (const { type, data } of source) {
    const outcome = outcomeOf(type, data);
    if (outcome === undefined) continue;
    count[outcome] += 1;
    if (outcome === "failed")
      yield `FAILED ${data.name}\n  at ${data.file}:${data.line}\n${cause(data)}\n`;
    if (outcome === "skipped") yield `skipped ${data.name}: ${data.skip}\n`;
  }
  yield `${((Date.now() - started) / 1000).toFixed(1)} s\n`;
  yield `${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`;
  if (count.passed + count.failed > 0) return;
  // A pattern that matches no file would be a success to node:test.
  yield "Cannot call that a success: no test has run\n";
  process.exitCode = 1;
}

function outcomeOf(
  type: string,
  data: TestEvent["data"],
): "passed" | "failed" | "skipped" | undefined {
  if (type === "test:fail") return "failed";
  if (type !== "test:pass" || data.details.type === "suite") return undefined;
  return data.skip === undefined || data.skip === false ? "passed" : "skipped";
}

function cause({ details: { error } }: TestEvent["data"]): string {
  return inspect(error?.cause ?? error, { depth: 4 }).replace(/^/gm, "  ");
}
