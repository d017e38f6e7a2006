import type { Context } from "#lib/context.ts";
import type { Exec } from "#linux/exec.ts";

const limitMs = 10_000;

/** losetup(8), by argument lists. Every method throws `ExecError`. */
export class Losetup {
  readonly #exec: Exec;

  constructor(exec: Exec) {
    this.#exec = exec;
  }

  /** @returns path of the device that was free: `/dev/loop7`. */
  async attach(image: string, ctx: Context): Promise<string> {
    const { stdout } = await this.#run(["--find", "--show", "--direct-io=off", "--", image], ctx);
    return stdout.trim();
  }

  /** Makes the device as large as its file has become. */
  async setCapacity(device: string, ctx: Context): Promise<void> {
    await this.#run(["--set-capacity", device], ctx);
  }

  /** Succeeds also for a device in use: the kernel then waits for its last user. */
  async detach(device: string, ctx: Context): Promise<void> {
    await this.#run(["--detach", device], ctx);
  }

  async #run(args: readonly string[], ctx: Context) {
    return this.#exec({ file: "losetup", args, timeoutMs: limitMs }, ctx);
  }
}
