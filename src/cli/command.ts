/** What a command talks to. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Aborted when the process is asked to end. */
  readonly signal: AbortSignal;
}

export interface Command {
  /** The whole text of `--help`. */
  readonly help: () => string;
  /** @param args - what follows the command's name. @returns the exit code. */
  readonly run: (args: readonly string[], terminal: Terminal) => Promise<number>;
}

/** 0 = done, 1 = it did not work, 2 = it was asked wrongly: usage or configuration. */
export const exitCodes = { done: 0, failed: 1, usage: 2 } as const;
