import type { Exec, ExecRequest } from "#linux/exec.ts";
import { ExecError, type ExecFailure } from "#linux/exec-error.ts";

/** What a program shall answer: its stdout, or how it fails. */
export type Script = (request: ExecRequest) => string | ExecFailure;

/** Answers for tools whose failures cannot be caused at will; keeps what was run, `tool arg arg`. */
export class ScriptedExec {
  readonly commands: string[] = [];
  readonly #script: Script;

  constructor(script: Script) {
    this.#script = script;
  }

  readonly exec: Exec = async (request) => {
    this.commands.push([request.file, ...request.args].join(" "));
    const answer = this.#script(request);
    if (typeof answer === "string") return { stdout: answer, stderr: "" };
    throw new ExecError(request.file, answer);
  };
}

/** A failure as the real exec reports it. */
export function exitCode(code: number, stderr = "", stdout = ""): ExecFailure {
  return { reason: `failed with exit code ${code}: ${stderr}`, exitCode: code, stderr, stdout };
}
