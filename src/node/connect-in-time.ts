import type { Initiator } from "#domain/ports/initiator.ts";
import type { StagedVolume } from "#domain/staged-volume.ts";
import { type Context, withTimeout } from "#lib/context.ts";

/** An address that does not answer would keep the kernel for half a minute, and the volume's lock with it. */
const connectLimitMs = 10_000;

/** Connects a volume that this node knows, as `Initiator.connect` does, and gives up after ten seconds. */
export async function connectInTime(
  { target, connect }: StagedVolume,
  initiator: Initiator,
  ctx: Context,
): Promise<void> {
  using limited = withTimeout(ctx, connectLimitMs);
  await initiator.connect(target, connect, limited);
}
