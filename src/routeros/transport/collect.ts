import type { Readable } from "node:stream";
import type { ClientChannel } from "ssh2";

/** What one console line left behind. */
export interface ExecResult {
  readonly stdout: string;
  readonly stderr: string;
  /** RouterOS sends 0 or 1 for a failed command, depending on its version, or nothing. */
  readonly exitStatus: number | undefined;
}

/** More than any reply has: 10,000 disks with all properties stay below 20 MiB. */
const maxOutputBytes = 64 * 1024 * 1024;

/**
 * Closes stdin and reads both streams until the channel closes; a stream left unread would stay open.
 * @throws when there is more than 64 MiB of output.
 */
export async function collect(channel: ClientChannel): Promise<ExecResult> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let exitStatus: number | undefined;
  const budget = { bytes: maxOutputBytes, exceeded: reject };
  const stdout = gather(channel, budget);
  const stderr = gather(channel.stderr, budget);
  channel.on("exit", (code: number | null) => {
    exitStatus = code ?? undefined;
  });
  channel.on("error", reject);
  channel.on("close", resolve);
  channel.end();
  await promise;
  return { stdout: text(stdout), stderr: text(stderr), exitStatus };
}

interface Budget {
  bytes: number;
  exceeded(reason: Error): void;
}

function gather(stream: Readable, budget: Budget): readonly Buffer[] {
  const chunks: Buffer[] = [];
  stream.on("error", budget.exceeded);
  stream.on("data", (chunk: Buffer) => {
    budget.bytes -= chunk.length;
    if (budget.bytes < 0) budget.exceeded(new Error("RouterOS sent more than 64 MiB"));
    else chunks.push(chunk);
  });
  return chunks;
}

function text(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString("utf8");
}
