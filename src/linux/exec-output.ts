import type { Readable } from "node:stream";
import { KiB, MiB } from "#lib/bytes.ts";

/** What is needed of a child process. */
export interface Child {
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  readonly exitCode: number | null;
  readonly signalCode: NodeJS.Signals | null;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "exit" | "close", listener: () => void): unknown;
}

/** How a process ended and what it said. */
export interface Exit {
  readonly exitCode: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** It could not be started, or said too much. */
  readonly failure: Error | undefined;
}

/** No tool here has a report near this size; half a report must not be read as a whole one. */
const maxStdoutBytes = MiB;
const maxStderrBytes = 4 * KiB;

/** How long to read on after the exit while a grandchild keeps the pipes open. */
const drainMs = 500;

/**
 * Resolves once, with the end of the process; never rejects.
 * @param kill - Called when the process says more than it may.
 */
export function collectOutput(child: Child, kill: () => void): Promise<Exit> {
  const { promise, resolve } = Promise.withResolvers<Exit>();
  let failure: Error | undefined;
  const stdout = keep(child.stdout, maxStdoutBytes, () => {
    failure ??= new Error(`it printed more than ${maxStdoutBytes} bytes`);
    kill();
  });
  const stderr = keep(child.stderr, maxStderrBytes, () => {});
  const end = () =>
    resolve({
      exitCode: child.exitCode ?? undefined,
      signal: child.signalCode ?? undefined,
      stdout: stdout(),
      stderr: stderr(),
      failure,
    });
  const giveUp = () => {
    end();
    child.stdout?.destroy();
    child.stderr?.destroy();
  };
  child.on("error", (error) => {
    failure ??= error;
    end();
  });
  child.on("exit", () => {
    // When this process was held up, the timer is late and comes before what the child had said long ago: that is read first.
    const drained = setTimeout(() => setImmediate(giveUp), drainMs);
    drained.unref();
    child.on("close", () => clearTimeout(drained));
  });
  child.on("close", end);
  return promise;
}

/** Keeps the last `maxBytes` of a stream. */
function keep(stream: Readable | null, maxBytes: number, overflow: () => void): () => string {
  let kept = Buffer.alloc(0);
  stream?.on("error", () => {});
  stream?.on("data", (chunk: Buffer) => {
    kept = Buffer.concat([kept, chunk]);
    if (kept.length <= maxBytes) return;
    kept = kept.subarray(-maxBytes);
    overflow();
  });
  return () => kept.toString("utf8");
}
