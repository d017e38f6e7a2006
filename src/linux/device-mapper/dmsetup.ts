import type { Context } from "#lib/context.ts";
import type { Exec, ExecRequest } from "../exec.ts";
import { ExecError } from "../exec-error.ts";

/** Most calls only change or read tables in the kernel. */
const tableLimitMs = 10_000;
/** Resuming into a new table waits until commands in flight have ended, on a slow disk too. */
const resumeLimitMs = 20_000;
/** `--retry` alone takes five seconds. */
const removeLimitMs = 15_000;

/**
 * `--noudevsync`: in a container nobody would answer dmsetup's semaphore. `--noudevrules`: udev makes no link in
 * `/dev/mapper` and leaves the device to no subsystem; what else udev would do is kept off by `host-rules.ts`.
 */
const udev = ["--noudevsync", "--noudevrules"];

type How = Partial<Pick<ExecRequest, "timeoutMs" | "input">>;

/**
 * dmsetup(8), by the name of one device. Every method throws an `ExecError` when dmsetup fails; one that is ended
 * by its limit leaves the device as it was, for the kernel's waits here are interruptible.
 */
export class Dmsetup {
  readonly #exec: Exec;

  constructor(exec: Exec) {
    this.#exec = exec;
  }

  /** Name and UUID are the same; the device is resumed with its table, or not there. */
  async create(name: string, table: string, ctx: Context): Promise<void> {
    await this.#change(["create", name, "--uuid", name, "--table", table], ctx);
  }

  async createWithoutTable(name: string, ctx: Context): Promise<void> {
    await this.#change(["create", name, "--notable"], ctx);
  }

  /** Puts a table, of one line or more, beside the one in use; `resume` takes it, `clear` throws it away. */
  async load(name: string, table: string, ctx: Context): Promise<void> {
    await this.#change(["load", name], ctx, { input: table });
  }

  async clear(name: string, ctx: Context): Promise<void> {
    await this.#change(["clear", name], ctx);
  }

  /** Without flushing, which would wait for a namespace that does not answer, or freezing the file system. */
  async resume(name: string, ctx: Context): Promise<void> {
    const timeoutMs = resumeLimitMs;
    await this.#change(["resume", "--noflush", "--nolockfs", name], ctx, { timeoutMs });
  }

  /** Without flushing: what waits in a multipath device goes on waiting. Waits for what is under way below it. */
  async suspend(name: string, ctx: Context): Promise<void> {
    await this.#change(["suspend", "--noflush", "--nolockfs", name], ctx);
  }

  /** Tries for five seconds when somebody has it open for a moment. */
  async remove(name: string, ctx: Context): Promise<void> {
    await this.#change(["remove", "--retry", name], ctx, { timeoutMs: removeLimitMs });
  }

  /** To the device's one target. Refused while the device is suspended. */
  async message(name: string, text: string, ctx: Context): Promise<void> {
    await this.#run(["message", name, "0", ...text.split(" ")], ctx);
  }

  /** Of every device of this host, whosever it is. */
  async names(ctx: Context): Promise<string[]> {
    const text = await this.#run(["info", "-c", "--noheadings", "-o", "name"], ctx);
    return text.split("\n").filter((line) => line !== "" && line !== "No devices found");
  }

  async table(name: string, ctx: Context): Promise<string> {
    return await this.#run(["table", name], ctx);
  }

  async status(name: string, ctx: Context): Promise<string> {
    return await this.#run(["status", name], ctx);
  }

  /** Of every device of this host that has one, each line after its name and a colon. */
  async tables(ctx: Context): Promise<string> {
    return await this.#run(["table"], ctx);
  }

  /** As `tables`, of multipath devices. Without flushing: that would make other kinds of devices write. */
  async statuses(ctx: Context): Promise<string> {
    return await this.#run(["status", "--noflush", "--target", "multipath"], ctx);
  }

  async #change(args: readonly string[], ctx: Context, how?: How): Promise<void> {
    await this.#run([...udev, ...args], ctx, how);
  }

  async #run(args: readonly string[], ctx: Context, how?: How): Promise<string> {
    const request = { file: "dmsetup", args, timeoutMs: tableLimitMs, ...how };
    return (await this.#exec(request, ctx)).stdout;
  }
}

/** Whether dmsetup found no such device: the kernel's word for changes, dmsetup's own for reports. */
export function saysAbsent(error: unknown): boolean {
  return (
    error instanceof ExecError &&
    /ioctl on .* failed: No such device or address$|^Device does not exist\.$/m.test(error.stderr)
  );
}

/** Whether the device is in use (`remove`), or a device of this name is there already (`create`). */
export function saysBusy(error: unknown, ioctl: "create" | "remove"): boolean {
  return (
    error instanceof ExecError &&
    new RegExp(`${ioctl} ioctl on .* failed: Device or resource busy$`, "m").test(error.stderr)
  );
}
