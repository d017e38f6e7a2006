import { DriverError } from "#domain/errors.ts";
import type { Nqn } from "#domain/nqn.ts";
import type { ConnectOptions } from "#domain/nvme-target.ts";
import type { Context } from "#lib/context.ts";
import type { Host } from "#linux/disk-device.ts";
import type { Exec } from "#linux/exec.ts";
import { ExecError } from "#linux/exec-error.ts";
import { OpenFile } from "#linux/open-file.ts";
import type { Controller, Path } from "./controllers.ts";
import type { HostIdentity } from "./host-identity.ts";

/** A silent address would keep the kernel trying for minutes. */
const connectLimitMs = 30_000;
/** Disconnecting waits for commands in flight to fail. */
const disconnectLimitMs = 30_000;
/** A reset waits until the connection is made anew, or has failed. */
const resetLimitMs = 30_000;

/** The whole text in one write: each one is a command. */
const args = ["bs=4096", "iflag=fullblock", "status=none"];

/**
 * The kernel's own door to NVMe over fabrics: text written to `/dev/nvme-fabrics`, `delete_controller` and `reset_controller`. Source: Linux,
 * drivers/nvme/host/fabrics.c, `opt_tokens`. The kernel answers a write when it is done, so that a process writes, which can
 * be ended. Unlike nvme-cli it reads nothing of other connections: with 300 of them that takes thousands of files.
 */
export class Fabrics {
  readonly #exec: Exec;
  readonly #host: Host;

  constructor(exec: Exec, host: Host) {
    this.#exec = exec;
    this.#host = host;
  }

  /** `/dev/nvme-fabrics`; not there without the module. */
  get device(): string {
    return `${this.#host.dev}/nvme-fabrics`;
  }

  /** @throws {ExecError} with the kernel's words, also when the path is connected already; sysfs tells. */
  async connect(
    { nqn, address, port }: Path,
    { hostNqn, hostId }: HostIdentity,
    options: ConnectOptions,
    ctx: Context,
  ): Promise<void> {
    const input = optionsText({
      nqn,
      transport: "tcp",
      traddr: address,
      trsvcid: port,
      hostnqn: hostNqn,
      hostid: hostId,
      ctrl_loss_tmo: options.ctrlLossTmoSeconds,
      reconnect_delay: options.reconnectDelaySeconds,
      keep_alive_tmo: options.keepAliveTmoSeconds,
      nr_io_queues: options.nrIoQueues,
    });
    using file = opened(() => new OpenFile(this.device));
    await this.#write(input, file, connectLimitMs, ctx);
  }

  /** Ends one connection. One that has gone is success. @throws {ExecError} with the kernel's words. */
  async disconnect(controller: Controller, nqn: Nqn, ctx: Context): Promise<void> {
    using file = this.#fileOf(controller, "delete_controller", nqn);
    if (file !== undefined) await this.#write("1", file, disconnectLimitMs, ctx);
  }

  /** Makes one connection anew. One that has gone is left so. @throws {ExecError} with the kernel's words. */
  async reset(controller: Controller, nqn: Nqn, ctx: Context): Promise<void> {
    using file = this.#fileOf(controller, "reset_controller", nqn);
    if (file !== undefined) await this.#write("1", file, resetLimitMs, ctx);
  }

  /**
   * Names of controllers change hands: whose it is, is read after its file was opened, which is no other one's whatever the
   * name leads to later.
   */
  #fileOf({ name }: Controller, attribute: string, nqn: Nqn): OpenFile | undefined {
    const { sysfs } = this.#host;
    const file = opened(() => sysfs.open("class", "nvme", name, attribute));
    if (sysfs.read("class", "nvme", name, "subsysnqn") === nqn) return file;
    file?.[Symbol.dispose]();
    return undefined;
  }

  async #write(input: string, output: OpenFile, timeoutMs: number, ctx: Context): Promise<void> {
    try {
      await this.#exec({ file: "dd", args, input, output, timeoutMs }, ctx);
    } catch (error) {
      throw error instanceof ExecError ? inKernelsWords(error) : error;
    }
  }
}

/** @throws {DriverError} `invalid-argument` for a value that would be read as more than one option. */
function optionsText(options: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return given.map(([name, value]) => option(name, String(value))).join(",");
}

function option(name: string, value: string): string {
  if (/^[^,\s]+$/.test(value)) return `${name}=${value}`;
  throw new DriverError(
    "invalid-argument",
    `Cannot connect: ${name} "${value}" is empty, or has a comma or a space`,
  );
}

/** What cannot be opened is refused as what cannot be written, and another path may be better off. */
function opened<T>(open: () => T): T {
  try {
    return open();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ExecError("the kernel", { reason: `cannot be told: ${why}`, cause });
  }
}

/** dd ends with them: `dd: error writing 'standard output': Connection refused` */
function inKernelsWords(error: ExecError): ExecError {
  const { exitCode, stderr, aborted, timedOut } = error;
  const [, words] = /^dd: error writing .*: ([^:\n]+)$/m.exec(stderr) ?? [];
  const isStopped = aborted || timedOut;
  if (words === undefined && !isStopped) return error;
  const reason = isStopped ? `gave no answer (dd ${error.reason})` : `says "${words}"`;
  const failure = { reason, exitCode, stderr, aborted, timedOut, cause: error };
  return new ExecError("the kernel", failure);
}
