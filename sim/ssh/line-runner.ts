import type { Switches } from "#sim/appliance/switches.ts";
import type { Execution } from "#sim/console/console.ts";
import { ConsoleError } from "#sim/console/console-error.ts";
import type { Fault, Faults } from "./faults.ts";
import { Pace } from "./pace.ts";
import type { Statistics } from "./statistics.ts";

/** Called before each menu command of a line; what it throws stops the line there. */
export type CommandHook = (command: { readonly name: string }) => void;

/** Runs one line for one user, in a console of its own. */
export type Execute = (line: string, signal: AbortSignal, hook: CommandHook) => Promise<Execution>;

/** What the client gets: an answer, a broken connection, or nothing for ever. */
export type Reply =
  | {
      readonly kind: "answer";
      readonly stdout: string;
      readonly stderr: string;
      readonly exitStatus: number | undefined;
    }
  | { readonly kind: "cut" }
  | { readonly kind: "hang" };

export interface LineRunnerOptions {
  readonly switches: Switches;
  readonly faults: Faults;
  readonly statistics: Statistics;
  /** Called when a line is over, whatever became of it. */
  readonly save: () => Promise<void>;
  readonly pause: (milliseconds: number) => Promise<void>;
}

/** The commands that change nothing, after which a fault `during` the line waits on. */
const harmless = new Set(["print", "find", "get", "monitor-traffic"]);

/** Those that stand in the arguments of another command, which has begun by then. */
const nested = new Set(["find", "get"]);

/** A log line, the stray text that has been seen before the output of a command. */
const strayText = "11-21 10:00:00 system,info,account user csi logged in via ssh\r\n";

/** Thrown into a line that a fault stops; no `:onerror` of the line catches it. */
class Struck extends Error {
  override readonly name = "Struck";
  readonly fault: Fault;
  constructor(fault: Fault) {
    super("struck by a fault");
    this.fault = fault;
  }
}

/** Runs command lines as the switches and the faults will have it. */
export class LineRunner {
  readonly #options: LineRunnerOptions;
  readonly #pace: Pace;
  readonly #running = new Set<Promise<Reply>>();

  constructor(options: LineRunnerOptions) {
    this.#options = options;
    this.#pace = new Pace(options.switches);
  }

  async run(line: string, execute: Execute, signal: AbortSignal): Promise<Reply> {
    const reply = this.#run(line, execute, signal);
    this.#running.add(reply);
    try {
      return await reply;
    } finally {
      this.#running.delete(reply);
    }
  }

  /** Resolves when no line is running, also none whose client is gone. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  async #run(line: string, execute: Execute, signal: AbortSignal): Promise<Reply> {
    this.#options.statistics.record(line);
    await this.#options.pause(this.#pace.delay(performance.now()));
    if (signal.aborted) return { kind: "cut" };
    const before = this.#options.faults.take(line, "before");
    if (before !== undefined) return this.#struck(before, nothing);
    try {
      return await this.#execute(line, execute, signal);
    } finally {
      await this.#options.save();
    }
  }

  async #execute(line: string, execute: Execute, signal: AbortSignal): Promise<Reply> {
    try {
      const { hook, finish } = this.#faultDuring(line);
      const execution = await execute(line, signal, hook);
      finish();
      const after = this.#options.faults.take(line, "after");
      return after === undefined ? this.#answer(execution) : this.#struck(after, execution);
    } catch (error) {
      if (error instanceof Struck) return this.#struck(error.fault, nothing);
      if (signal.aborted) return { kind: "cut" };
      throw error;
    }
  }

  /** Strikes before the command that follows so many changes, or at the end of the line. */
  #faultDuring(line: string): { readonly hook: CommandHook; readonly finish: () => void } {
    let changes = 0;
    const strike = (): void => {
      const fault = this.#options.faults.take(line, "during", changes);
      if (fault?.action === "error") throw new ConsoleError("run-time", fault.text ?? "failure");
      if (fault !== undefined) throw new Struck(fault);
    };
    const hook: CommandHook = ({ name }) => {
      if (nested.has(name)) return;
      const changing = !harmless.has(name);
      if (changing || changes > 0) strike();
      if (changing) changes += 1;
    };
    return { hook, finish: () => (changes > 0 ? strike() : undefined) };
  }

  #struck(fault: Fault, execution: Execution): Reply {
    const { output } = execution;
    switch (fault.action) {
      case "cut":
      case "hang":
        return { kind: fault.action };
      case "garbage":
        return this.#answer({ ...execution, output: (fault.text ?? strayText) + output });
      case "truncate":
        return this.#answer({ ...execution, output: output.slice(0, output.length / 2) });
      case "error":
        return this.#answer(failed(fault.text ?? "action failed (6)"));
    }
  }

  #answer({ output, failed, errorText }: Execution): Reply {
    const { switches } = this.#options;
    const error = errorText === undefined ? "" : `${errorText}\r\n`;
    const onStderr = switches.get("error-stream") === "stderr";
    const status = switches.get("exit-status");
    return {
      kind: "answer",
      stdout: onStderr ? output : output + error,
      stderr: onStderr ? error : "",
      exitStatus: status === "absent" ? undefined : failed ? Number(status) : 0,
    };
  }
}

const nothing: Execution = { output: "", failed: false, stage: "ok" };

function failed(errorText: string): Execution {
  return { output: "", failed: true, stage: "run-time", errorText };
}
