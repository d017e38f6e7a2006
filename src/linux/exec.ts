import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import type { Context } from "#lib/context.ts";
import { timeLimit } from "#lib/time-limit.ts";
import { ExecError } from "./exec-error.ts";
import { collectOutput, type Exit } from "./exec-output.ts";
import { packageOf } from "./packages.ts";

export interface ExecRequest {
  /** Name of a program, looked up in a fixed PATH; never a shell. */
  readonly file: string;
  readonly args: readonly string[];
  readonly timeoutMs: number;
  /** Given to the process on stdin, which is empty otherwise. */
  readonly input?: string;
  /** An open file that its output goes to; its path is for messages. */
  readonly output?: { readonly fd: number; readonly path: string };
  /** For a process that may print more than is ever kept: without it, one that prints over 1 MiB is ended. */
  readonly ignoresStdout?: boolean;
}

export interface ExecOutput {
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program to its end.
 * @throws {ExecError} for every end but exit code 0.
 */
export type Exec = (request: ExecRequest, ctx: Context) => Promise<ExecOutput>;

/** Messages and numbers in one language; nothing of the plugin's own environment is handed on. */
const environment = {
  LC_ALL: "C",
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
};

/**
 * The only place where processes start. A process gets its own group, which is ended by SIGTERM, then
 * SIGKILL, when its limit passes or the caller's signal fires. One that sleeps uninterruptibly in the kernel
 * cannot be ended: it is left behind, and until it has gone the same command is refused, so that a volume
 * without answer costs one process and not one per retry.
 * @param graceMs - How long to wait after each of the two signals.
 */
export function createExec(graceMs = 2_000): Exec {
  /** When each was started. */
  const hanging = new Map<string, number>();
  return async (request, ctx) => {
    const { file, output, input } = request;
    const into = output && { into: output.path, input };
    const key = JSON.stringify([file, ...request.args, into]);
    if (ctx.signal.aborted)
      throw new ExecError(file, { reason: "was not started: the call had ended", aborted: true });
    const hungSince = hanging.get(key);
    if (hungSince !== undefined)
      throw new ExecError(file, {
        reason: "still hangs in the kernel from an earlier call",
        timedOut: true,
        hungForMs: performance.now() - hungSince,
      });
    const startedAt = performance.now();
    const child = start(request);
    const ended = collectOutput(child, () => killGroup(child, "SIGKILL"));
    using limit = timeLimit(request.timeoutMs, ctx.signal);
    const inTime = await untilAborted(ended, limit.signal);
    const exit = inTime ?? (await terminate(child, ended, graceMs));
    if (exit === undefined) {
      hanging.set(key, startedAt);
      void ended.then(() => hanging.delete(key));
      abandon(child);
    }
    ctx.log.debug(
      {
        file,
        args: request.args,
        ...into,
        exitCode: exit?.exitCode,
        durationMs: Math.round(performance.now() - startedAt),
      },
      "Ran a process",
    );
    if (inTime !== undefined) return outputOf(inTime, request);
    const hungForMs = exit === undefined ? performance.now() - startedAt : undefined;
    throw stopped(request, { exit, hungForMs, aborted: ctx.signal.aborted });
  };
}

function start({ file, args, input, output, ignoresStdout }: ExecRequest): ChildProcess {
  const child = spawn(file, args, {
    cwd: "/",
    detached: true,
    env: environment,
    shell: false,
    stdio: [
      input === undefined ? "ignore" : "pipe",
      output?.fd ?? (ignoresStdout === true ? "ignore" : "pipe"),
      "pipe",
    ],
  });
  // A process may end without having read its input: its exit code tells, not EPIPE.
  child.stdin?.on("error", () => {});
  child.stdin?.end(input);
  return child;
}

/** @returns `undefined` when the signal comes first. */
async function untilAborted(ended: Promise<Exit>, signal: AbortSignal): Promise<Exit | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const stop = () => resolve(undefined);
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([ended, promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** @returns `undefined` when even SIGKILL does not end it: it waits for a disk that does not answer. */
async function terminate(
  child: ChildProcess,
  ended: Promise<Exit>,
  graceMs: number,
): Promise<Exit | undefined> {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    killGroup(child, signal);
    const exit = await Promise.race([ended, delay(graceMs, undefined, { ref: false })]);
    if (exit === undefined) continue;
    // Its children may have been deaf to SIGTERM.
    killGroup(child, "SIGKILL");
    return exit;
  }
  return undefined;
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group has gone in the meantime.
  }
}

/** Lets the plugin's own exit not wait for it. */
function abandon(child: ChildProcess): void {
  child.unref();
  child.stdout?.destroy();
  child.stderr?.destroy();
}

function outputOf(exit: Exit, { file }: ExecRequest): ExecOutput {
  const { exitCode, signal, stdout, stderr, failure } = exit;
  if (exitCode === 0 && failure === undefined) return { stdout, stderr };
  const notInstalled = failure !== undefined && "code" in failure && failure.code === "ENOENT";
  throw new ExecError(file, {
    reason: notInstalled ? `is not installed (package ${packageOf(file)})` : reasonOf(exit),
    notInstalled,
    exitCode,
    signal,
    stdout,
    stderr,
    cause: failure,
  });
}

function reasonOf({ exitCode, signal, stderr, failure }: Exit): string {
  if (failure !== undefined) return `failed: ${failure.message}`;
  const said = gist(stderr);
  const how = signal === undefined ? `exit code ${exitCode}` : `signal ${signal}`;
  return `failed with ${how}${said === "" ? "" : `: ${said}`}`;
}

/** What a tool said, on one line, for a message: some begin with the reason, others end with it. */
function gist(stderr: string): string {
  const all = stderr.split("\n").map((line) => line.trim());
  const lines = all.filter((line) => line !== "");
  const kept = lines.length <= 3 ? lines : [...lines.slice(0, 2), "…", ...lines.slice(-1)];
  return kept.join("; ").slice(0, 400);
}

interface Stop {
  readonly exit: Exit | undefined;
  readonly hungForMs: number | undefined;
  readonly aborted: boolean;
}

function stopped({ file, timeoutMs }: ExecRequest, { exit, hungForMs, aborted }: Stop) {
  const when = aborted ? "was ended with the call" : `did not end within ${timeoutMs / 1000} s`;
  return new ExecError(file, {
    reason: exit === undefined ? `${when} and hangs in the kernel` : when,
    aborted,
    timedOut: !aborted,
    hungForMs,
    exitCode: exit?.exitCode,
    signal: exit?.signal,
    stdout: exit?.stdout ?? "",
    stderr: exit?.stderr ?? "",
  });
}
