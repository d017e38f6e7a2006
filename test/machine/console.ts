import type { ChildProcess } from "node:child_process";
import type { Readable } from "node:stream";

/** What to run in a machine, and where to tell what is printed meanwhile. */
export interface Command {
  /** One line of Bash, run as root in the machine, whose root is the host's own, read-only, under a tmpfs. */
  readonly line: string;
  /** The machine is switched off when it takes more seconds than this. */
  readonly limitSeconds: number;
  readonly onLine: (line: string) => void;
}

/** A machine's serial line: it asks for a command with `MACHINE-NEXT`, and ends it with `MACHINE-EXIT` and its status. */
export class Console {
  readonly #qemu: ChildProcess;
  readonly #lines: AsyncGenerator<string>;

  constructor(qemu: ChildProcess) {
    this.#qemu = qemu;
    this.#lines = linesOf(qemu.stdout);
  }

  /**
   * @returns the command's exit status; `again` when the machine said `MACHINE-AGAIN` and went down, 124 when the limit was
   * reached, 125 when the machine did not come up, or went down.
   */
  async run({ line, limitSeconds, onLine }: Command): Promise<number | "again"> {
    let end: number | "again" = 125;
    const limit = setTimeout(() => {
      end = 124;
      this.#qemu.kill("SIGKILL");
    }, limitSeconds * 1_000);
    try {
      for (
        let next = await this.#lines.next();
        next.done !== true;
        next = await this.#lines.next()
      ) {
        const [, status] = /MACHINE-EXIT (\d+)/.exec(next.value) ?? [];
        if (status !== undefined) return Number(status);
        if (next.value.includes("MACHINE-AGAIN")) end = "again";
        else if (next.value.includes("MACHINE-NEXT")) this.#qemu.stdin?.write(`${line}\n`);
        else onLine(next.value);
      }
      return end;
    } finally {
      clearTimeout(limit);
    }
  }
}

async function* linesOf(stream: Readable | null): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream?.setEncoding("utf8") ?? []) {
    const lines = (rest + text).split(/\r*\n/);
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
