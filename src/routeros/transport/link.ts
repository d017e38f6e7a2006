import { DriverError } from "#domain/errors.ts";
import { abortable } from "#lib/abortable.ts";
import type { Context } from "#lib/context.ts";
import type { ExecResult } from "./collect.ts";
import { connect } from "./connect.ts";
import type { Connection } from "./connection.ts";
import type { Endpoint } from "./endpoint.ts";
import type { RetryGate } from "./retry-gate.ts";

/**
 * The one connection to an appliance: made at first use, made again at the first use after it broke.
 * While the appliance is away only one caller per back-off period waits; the others hear the last failure.
 */
export class Link implements AsyncDisposable {
  readonly #endpoint: Endpoint;
  readonly #gate: RetryGate;
  readonly #ended = new AbortController();
  #connection: Connection | undefined;
  #connecting: Promise<Connection> | undefined;
  #generation = 0;

  constructor(endpoint: Endpoint, gate: RetryGate) {
    this.#endpoint = endpoint;
    this.#gate = gate;
  }

  /** Counts the connections made so far; `undefined` while there is none. */
  get generation(): number | undefined {
    return this.#connection?.open ? this.#generation : undefined;
  }

  /**
   * Runs one console line.
   * @throws {DriverError} as `connect()` and `Connection.exec()`.
   */
  async exec(line: string, ctx: Context): Promise<ExecResult> {
    const connection = await this.#reach(ctx);
    return await connection.exec(line, ctx);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort(new Error("the driver is shutting down"));
    this.#connection?.[Symbol.dispose]();
    await this.#connecting?.catch(() => undefined);
  }

  async #reach(ctx: Context): Promise<Connection> {
    try {
      return await abortable(this.#connect(ctx), ctx.signal);
    } catch (error) {
      if (error instanceof DriverError || !ctx.signal.aborted) throw error;
      const act = `Cannot run a command on appliance "${this.#endpoint.name}"`;
      throw new DriverError("unavailable", `${act}: the call ended before it was connected`, {
        cause: error,
      });
    }
  }

  /** Shared by all who wait: one of them going away does not end the attempt. */
  async #connect(ctx: Context): Promise<Connection> {
    if (this.#connection?.open) return this.#connection;
    this.#connecting ??= this.#attempt(ctx).finally(() => {
      this.#connecting = undefined;
    });
    return await this.#connecting;
  }

  async #attempt({ log }: Context): Promise<Connection> {
    const { name: appliance, address, port } = this.#endpoint;
    const connection = await this.#gate.pass(() => connect(this.#endpoint, this.#ended.signal));
    this.#connection = connection;
    if (this.#ended.signal.aborted) connection[Symbol.dispose]();
    this.#generation += 1;
    log.info({ appliance, address, port, generation: this.#generation }, "Connected to appliance");
    return connection;
  }
}
