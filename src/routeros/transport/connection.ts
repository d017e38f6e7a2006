import type { Socket } from "node:net";
import type { Client } from "ssh2";
import { DriverError } from "#domain/errors.ts";
import { abortable } from "#lib/abortable.ts";
import type { Context } from "#lib/context.ts";
import { type TimeLimit, timeLimit } from "#lib/time-limit.ts";
import { collect, type ExecResult } from "./collect.ts";
import type { Endpoint } from "./endpoint.ts";

/** A live SSH connection. Once anything about it is in doubt it is closed for good. */
export class Connection implements Disposable {
  readonly #client: Client;
  readonly #socket: Socket;
  readonly #endpoint: Endpoint;
  readonly #closed = new AbortController();

  /**
   * @param client - Ready, with an "error" listener.
   * @param socket - What it runs over.
   */
  constructor(client: Client, socket: Socket, endpoint: Endpoint) {
    this.#client = client;
    this.#socket = socket;
    this.#endpoint = endpoint;
    client.once("close", () => this.#closed.abort());
  }

  get open(): boolean {
    return !this.#closed.signal.aborted;
  }

  /**
   * Runs one console line: no terminal, stdin closed, both streams read to their end.
   * A line that is not answered in time, or whose caller goes away, takes the connection with it,
   * because the state of its channel is unknown then. What the kernel has not sent of it yet never is: a connection
   * that is closed in good order goes on delivering that for minutes.
   * @throws {DriverError} `unavailable` when RouterOS refused the channel, so that nothing was run;
   * `unknown-outcome` otherwise.
   */
  async exec(line: string, ctx: Context): Promise<ExecResult> {
    using limit = timeLimit(this.#endpoint.commandTimeoutMs, ctx.signal, this.#closed.signal);
    try {
      return await abortable(this.#run(line), limit.signal);
    } catch (error) {
      const failure = this.#failure(error, ctx, limit);
      this.#socket.resetAndDestroy();
      this[Symbol.dispose]();
      throw failure;
    }
  }

  [Symbol.dispose](): void {
    this.#closed.abort();
    this.#client.destroy();
  }

  /** Listens from the first moment: exit status and output may come in one packet with the channel. */
  #run(line: string): Promise<ExecResult> {
    const { promise, resolve, reject } = Promise.withResolvers<ExecResult>();
    this.#client.exec(line, (error, channel) =>
      error ? reject(error) : resolve(collect(channel)),
    );
    return promise;
  }

  #failure(cause: unknown, ctx: Context, limit: TimeLimit): DriverError {
    const act = `Cannot run a command on appliance "${this.#endpoint.name}"`;
    const refusal = refusalOf(cause);
    if (refusal !== undefined)
      return new DriverError("unavailable", `${act}: ${refusal}`, { cause });
    return new DriverError("unknown-outcome", `${act}: ${this.#stateOf(cause, ctx, limit)}`, {
      cause,
    });
  }

  #stateOf(cause: unknown, ctx: Context, limit: TimeLimit): string {
    if (ctx.signal.aborted) return "the call ended before RouterOS answered";
    if (limit.passed) return `no answer within ${this.#endpoint.commandTimeoutMs / 1000} s`;
    if (!this.open) return "the connection was lost before RouterOS answered";
    return cause instanceof Error ? cause.message : String(cause);
  }
}

/** Why the line has not left this host, if that is certain: ssh2 gives only a refused channel a reason. */
function refusalOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("reason" in error) return "RouterOS refused the channel";
  return error.message === "Not connected" ? "the connection is closing" : undefined;
}
