/** How a process ended, as far as it did. */
export interface ExecFailure {
  /** What went wrong, to follow the name of the tool: `failed with exit code 2`. */
  readonly reason: string;
  readonly exitCode?: number | undefined;
  readonly signal?: NodeJS.Signals | undefined;
  /** It was ended because its own time limit had passed, or an earlier run of it still hangs. */
  readonly timedOut?: boolean;
  /** For so long it has been running, and cannot be ended: it sleeps in the kernel. */
  readonly hungForMs?: number | undefined;
  /** It was ended, or never started, because the caller's signal said so. */
  readonly aborted?: boolean;
  readonly notInstalled?: boolean;
  readonly stdout?: string;
  /** The last 4 KiB. */
  readonly stderr?: string;
  readonly cause?: unknown;
}

/**
 * A process that did not end with exit code 0, or what else of the system (`file`) did not do its part. Adapters turn it into
 * a `DriverError` at once.
 */
export class ExecError extends Error {
  override readonly name = "ExecError";
  readonly file: string;
  readonly reason: string;
  readonly exitCode: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  readonly timedOut: boolean;
  readonly hungForMs: number | undefined;
  readonly aborted: boolean;
  readonly notInstalled: boolean;
  readonly stdout: string;
  readonly stderr: string;

  constructor(file: string, failure: ExecFailure) {
    super(`Cannot run "${file}": ${failure.reason}`, { cause: failure.cause });
    this.file = file;
    this.reason = failure.reason;
    this.exitCode = failure.exitCode;
    this.signal = failure.signal;
    this.timedOut = failure.timedOut ?? false;
    this.hungForMs = failure.hungForMs;
    this.aborted = failure.aborted ?? false;
    this.notInstalled = failure.notInstalled ?? false;
    this.stdout = failure.stdout ?? "";
    this.stderr = failure.stderr ?? "";
  }
}

/** For processes whose failure is no failure yet, because something else decides. @returns how it failed, if it did. */
export async function failureOf(run: Promise<void>): Promise<ExecError | undefined> {
  try {
    await run;
    return undefined;
  } catch (error) {
    if (error instanceof ExecError) return error;
    throw error;
  }
}
