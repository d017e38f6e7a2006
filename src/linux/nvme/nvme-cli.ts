import type { Nqn } from "#domain/nqn.ts";
import type { ConnectOptions } from "#domain/nvme-target.ts";
import type { Context } from "#lib/context.ts";
import type { Exec } from "#linux/exec.ts";
import type { Path } from "./controllers.ts";
import type { HostIdentity } from "./host-identity.ts";

/** A silent address would keep the kernel trying for minutes. */
const connectLimitMs = 30_000;
/** Disconnecting waits for commands in flight to fail. */
const disconnectLimitMs = 30_000;

/** nvme-cli, for connecting and disconnecting only: its reports change their form between versions. */
export class NvmeCli {
  readonly #exec: Exec;

  constructor(exec: Exec) {
    this.#exec = exec;
  }

  /** @throws {ExecError} also when the path is connected already; sysfs tells. */
  async connect(
    { nqn, address, port }: Path,
    identity: HostIdentity,
    options: ConnectOptions,
    ctx: Context,
  ): Promise<void> {
    const args = [
      "connect",
      "--transport=tcp",
      `--traddr=${address}`,
      `--trsvcid=${port}`,
      `--nqn=${nqn}`,
      `--hostnqn=${identity.hostNqn}`,
      `--hostid=${identity.hostId}`,
      ...timing(options),
    ];
    await this.#exec({ file: "nvme", args, timeoutMs: connectLimitMs }, ctx);
  }

  /** Every controller of this NQN, and nothing else. @throws {ExecError} also when there is none. */
  async disconnect(nqn: Nqn, ctx: Context): Promise<void> {
    const args = ["disconnect", `--nqn=${nqn}`];
    await this.#exec({ file: "nvme", args, timeoutMs: disconnectLimitMs }, ctx);
  }
}

function timing(options: ConnectOptions): string[] {
  const { ctrlLossTmoSeconds, reconnectDelaySeconds, keepAliveTmoSeconds, nrIoQueues } = options;
  const args = [
    `--ctrl-loss-tmo=${ctrlLossTmoSeconds}`,
    `--reconnect-delay=${reconnectDelaySeconds}`,
  ];
  if (keepAliveTmoSeconds !== undefined) args.push(`--keep-alive-tmo=${keepAliveTmoSeconds}`);
  if (nrIoQueues !== undefined) args.push(`--nr-io-queues=${nrIoQueues}`);
  return args;
}
