import { DriverError, isFailure } from "#domain/errors.ts";
import type { Context } from "#lib/context.ts";
import { SharedReads } from "#lib/shared-reads.ts";
import { type Command, command } from "./command.ts";
import type { CommandQueue } from "./command-queue.ts";
import { newNonce, type Reply, readReply, sealed } from "./reply.ts";
import type { Link } from "./transport/link.ts";

/** The console's line buffer is undocumented; lines of this length are far above what volumes need. */
const maxLineBytes = 4096;

/** The outcome of a command with an effect, and what was read after it. */
export interface Applied {
  readonly reply: Reply;
  /** Set when the line's own answer was lost: `reply` is then a later look at the state, and only it decides. */
  readonly doubt: DriverError | undefined;
}

/** The console of one appliance: sends commands one by one and makes sure of their outcome. */
export class Console {
  readonly #name: string;
  readonly #link: Link;
  readonly #queue: CommandQueue;
  readonly #reads = new SharedReads<Reply>();

  /** @param name - The appliance's name; for messages. */
  constructor(name: string, link: Link, queue: CommandQueue) {
    this.#name = name;
    this.#link = link;
    this.#queue = queue;
  }

  /**
   * Runs a command without effect. It is shared with others that wait to ask the same, and repeated
   * once if its answer is lost.
   * @throws {DriverError} `unavailable` and whatever connecting throws.
   */
  async read(query: Command, ctx: Context): Promise<Reply> {
    try {
      return await this.#reads.get(
        query.text,
        (shared, sent) => this.#readTwice(query, sent, shared),
        ctx,
      );
    } catch (error) {
      if (isFailure(error, "unknown-outcome"))
        throw new DriverError("unavailable", error.message, { cause: error });
      if (error instanceof DriverError || !ctx.signal.aborted) throw error;
      throw new DriverError(
        "unavailable",
        `Cannot read from appliance "${this.#name}": the call ended before RouterOS answered`,
        { cause: error },
      );
    }
  }

  /**
   * Runs `effect` and then `view` in one line. It is never sent twice: when its answer is lost, `view`
   * alone is read, so that the caller can decide from what is there.
   * @throws {DriverError} `unknown-outcome` when that look is not possible either; `unavailable` when
   * nothing was sent.
   */
  async apply(effect: Command, view: Command, ctx: Context): Promise<Applied> {
    try {
      return { reply: await this.#once(command`${effect}; ${view}`, ctx), doubt: undefined };
    } catch (doubt) {
      if (!isFailure(doubt, "unknown-outcome") || ctx.signal.aborted) throw doubt;
      ctx.log.warn({ appliance: this.#name, error: doubt.message }, "Reading back a lost outcome");
      return { reply: await this.#lookBack(view, doubt, ctx), doubt };
    }
  }

  async #lookBack(view: Command, doubt: DriverError, ctx: Context): Promise<Reply> {
    try {
      const reply = await this.read(view, ctx);
      if (reply.ok) return reply;
    } catch (error) {
      ctx.log.warn(
        { appliance: this.#name, error: String(error) },
        "Cannot read back a lost outcome",
      );
    }
    throw doubt;
  }

  async #readTwice(query: Command, sent: () => void, ctx: Context): Promise<Reply> {
    try {
      return await this.#once(query, ctx, sent);
    } catch (error) {
      if (!isFailure(error, "unknown-outcome") || ctx.signal.aborted) throw error;
      ctx.log.warn({ appliance: this.#name, error: error.message }, "Repeating a lost read");
      return await this.#once(query, ctx);
    }
  }

  async #once(body: Command, ctx: Context, sent?: () => void): Promise<Reply> {
    const nonce = newNonce();
    const line = sealed(body, nonce).text;
    this.#requireShort(line);
    return await this.#queue.run(async () => {
      sent?.();
      const start = performance.now();
      const result = await this.#link.exec(line, ctx);
      const durationMs = Math.round(performance.now() - start);
      const { exitStatus } = result;
      const reply = readReply(result, nonce);
      ctx.log.debug(
        { appliance: this.#name, command: body.text, durationMs, exitStatus, ok: reply?.ok },
        "Ran a command on the appliance",
      );
      if (reply === undefined) throw this.#unreadable();
      return reply;
    }, ctx);
  }

  #requireShort(line: string): void {
    if (line.length <= maxLineBytes) return;
    throw new DriverError(
      "invalid-argument",
      `Cannot send a command of ${line.length} bytes to appliance "${this.#name}": the limit is ${maxLineBytes}`,
    );
  }

  #unreadable(): DriverError {
    return new DriverError(
      "unknown-outcome",
      `Cannot tell the outcome of a command on appliance "${this.#name}": RouterOS did not confirm its end`,
    );
  }
}
