import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { abortable } from "#lib/abortable.ts";
import { type Context, withTimeout } from "#lib/context.ts";
import { ExecError } from "#linux/exec-error.ts";

/** A resolver that answers does so in milliseconds; a silent one keeps a thread for as long as it likes. */
const lookupLimitMs = 5_000;

/** @returns the address that a host name has now. @throws {Error} with the resolver's `code`. */
export type Lookup = (host: string) => Promise<string>;

/**
 * The addresses that the kernel is told, which takes no names. Source: Linux, drivers/nvme/host/tcp.c,
 * `inet_pton_with_scope`. A name is looked up for each connection that is made, and once for all that wait for it: a
 * question cannot be taken back, and in an outage every volume asks again and again.
 */
export class IpAddresses {
  readonly #lookup: Lookup;
  readonly #asked = new Map<string, Promise<string>>();

  constructor(find: Lookup = async (host) => (await lookup(host)).address) {
    this.#lookup = find;
  }

  /**
   * @param host - An IP address, which is its own, or a host name.
   * @throws {ExecError} when the resolver does not find the name, or does not answer in five seconds.
   */
  async of(host: string, ctx: Context): Promise<string> {
    if (isIP(host) !== 0) return host;
    using limited = withTimeout(ctx, lookupLimitMs);
    try {
      return await abortable(this.#ask(host), limited.signal);
    } catch (cause) {
      const { aborted } = ctx.signal;
      const timedOut = limited.signal.aborted && !aborted;
      const code = cause instanceof Error && "code" in cause ? ` (${cause.code})` : "";
      const reason =
        aborted || timedOut ? `gave no answer for "${host}"` : `does not find "${host}"${code}`;
      throw new ExecError("the resolver", { reason, aborted, timedOut, cause });
    }
  }

  #ask(host: string): Promise<string> {
    const asked = this.#asked.get(host);
    if (asked !== undefined) return asked;
    const answer = this.#lookup(host).finally(() => this.#asked.delete(host));
    this.#asked.set(host, answer);
    return answer;
  }
}
