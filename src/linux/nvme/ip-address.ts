import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { abortable } from "#lib/abortable.ts";
import type { Context } from "#lib/context.ts";
import { ExecError } from "#linux/exec-error.ts";

/**
 * The address that the kernel is told, which takes no names. Source: Linux, drivers/nvme/host/tcp.c,
 * `inet_pton_with_scope`. This node's resolver is asked each time: an appliance may have moved.
 * @param host - An IP address, which is its own, or a host name.
 * @throws {ExecError} when the resolver does not find the name, or has not answered when the call ends.
 */
export async function ipAddressOf(host: string, { signal }: Context): Promise<string> {
  if (isIP(host) !== 0) return host;
  try {
    const { address } = await abortable(lookup(host), signal);
    return address;
  } catch (error) {
    const why = error instanceof Error && "code" in error ? ` (${error.code})` : "";
    const reason = signal.aborted ? "has not answered" : `does not find "${host}"${why}`;
    throw new ExecError("the resolver", { reason, aborted: signal.aborted, cause: error });
  }
}
