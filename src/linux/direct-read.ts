import { type DirectReads, NoAnswer } from "#domain/ports/direct-reads.ts";
import type { Context } from "#lib/context.ts";
import type { Exec } from "./exec.ts";
import { ExecError } from "./exec-error.ts";
import { toolFailure } from "./tool-failure.ts";

/** A device that answers does so in milliseconds; one that does not may wait for ever. */
const readLimitMs = 5_000;

/** Reads with O_DIRECT by dd, in a child because a device without answer blocks its reader. */
export class LinuxDirectReads implements DirectReads {
  readonly #exec: Exec;

  constructor(exec: Exec) {
    this.#exec = exec;
  }

  /** 4,096 bytes: a whole number of blocks on every device that this driver attaches. */
  async readDirect(device: string, ctx: Context): Promise<void> {
    const args = [`if=${device}`, "of=/dev/null", "bs=4096", "count=1", "iflag=direct"];
    try {
      await this.#exec({ file: "dd", args, timeoutMs: readLimitMs }, ctx);
    } catch (error) {
      const act = `Cannot read "${device}"`;
      if (!(error instanceof ExecError) || error.hungForMs === undefined)
        throw toolFailure(act, error, "unavailable");
      const message = `${act}: ${error.file} ${error.reason}`;
      throw new NoAnswer(message, error.hungForMs, { cause: error });
    }
  }
}
