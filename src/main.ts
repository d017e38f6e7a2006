import { nodeComplaint } from "#cli/node-version.ts";

/** Everything else is loaded only by a Node.js that can read it. */
async function main(): Promise<number> {
  const complaint = nodeComplaint(process.versions.node);
  if (complaint !== undefined) {
    process.stderr.write(`${complaint}\n`);
    return 1;
  }
  const { run } = await import("#cli/run.ts");
  return await run(process.argv.slice(2), {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    signal: endSignal(),
  });
}

/**
 * The first SIGTERM or SIGINT asks for an orderly end, a second one does not wait for it. So does a reader that has
 * gone, as `head` does: what was begun must not stay.
 */
function endSignal(): AbortSignal {
  const end = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const)
    process.on(name, () => {
      if (end.signal.aborted) process.exit(1);
      end.abort(name);
    });
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", () => end.abort("SIGPIPE"));
  return end.signal;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
    process.exit(1);
  },
);
