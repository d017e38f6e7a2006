import { DriverError } from "#domain/errors.ts";
import type { Context } from "#lib/context.ts";
import { connectInTime } from "../connect-in-time.ts";
import type { Holds } from "../host.ts";
import { disprove } from "../prove.ts";
import type { Action } from "./decide.ts";
import type { WatchHost } from "./host.ts";
import type { Outcome } from "./outcome.ts";
import { remount } from "./remount.ts";
import { withdraw } from "./show-again.ts";
import type { Sight } from "./sight.ts";

/**
 * Takes one step.
 * @throws {DriverError} when the step did not succeed; a later look decides anew.
 */
export async function act(
  action: Action,
  sight: Sight,
  host: WatchHost,
  ctx: Context,
): Promise<Outcome> {
  const { volume } = sight;
  const { nqn } = volume.target;
  switch (action.do) {
    case "prove-and-swap":
      return await proveAndSwap(action.device, sight, host, ctx);
    case "remount":
      return await remount(sight, action.device, host, ctx);
    case "withdraw":
      await withdraw(volume, sight.strays, host, ctx);
      return {};
    case "reset":
      await host.initiator.reset(nqn, sight.unanswered?.silentMs ?? 0, ctx);
      return {};
    case "rescan":
      await host.initiator.rescan(nqn, ctx);
      return {};
    case "reconnect":
      await host.initiator.disconnect(nqn, ctx);
      await connectInTime(volume, host.initiator, ctx);
      return {};
    case "connect":
      await connectInTime(volume, host.initiator, ctx);
      return {};
    case "end-hold":
      await holdsOf(host).failQueue(nqn, ctx);
      await host.initiator.disconnect(nqn, ctx);
      return {};
    default:
      await actOnHold(action, sight, host, ctx);
      return {};
  }
}

async function actOnHold(
  action: Action,
  { volume, connection }: Sight,
  host: WatchHost,
  ctx: Context,
): Promise<void> {
  const { nqn } = volume.target;
  if (action.do === "resume") await holdsOf(host).resume(nqn, ctx);
  if (action.do === "queue-again") await holdsOf(host).queueAgain(nqn, ctx);
  if (action.do === "reinstate") await holdsOf(host).reinstate(nqn, ctx);
  if (action.do === "pass-errors" && connection.device !== undefined) {
    // What answers for another block is not an outage, whose errors must reach nobody.
    await host.reads.readDirect(connection.device.path, ctx);
    await holdsOf(host).passErrors(nqn, ctx);
    ctx.log.warn({}, "Passed on errors of the target: a block of the volume cannot be used");
  }
}

/** The number may lead elsewhere since the proof began: what it leads to must still be this NQN's. */
async function proveAndSwap(
  device: NonNullable<Sight["connection"]["device"]>,
  { volume, hold }: Sight,
  host: WatchHost,
  ctx: Context,
): Promise<Outcome> {
  const claim = { volume, device, minSizeBytes: hold?.sizeBytes ?? 0 };
  const reason = await disprove(claim, host, ctx);
  if (reason !== undefined) return { refused: { majorMinor: device.majorMinor, reason } };
  const number = () => host.connections.observe(device.nqn).device?.majorMinor;
  const now = number();
  if (now !== device.majorMinor)
    throw new DriverError(
      "unavailable",
      `Cannot put "${device.nqn}" on ${device.majorMinor}: it is ${now ?? "gone"} now`,
    );
  const isStill = () => number() === device.majorMinor;
  await holdsOf(host).swap(device, isStill, ctx);
  return {};
}

function holdsOf({ holds }: WatchHost): Holds {
  if (holds !== undefined) return holds;
  throw new DriverError("failed-precondition", "Cannot change a hold: this host has none");
}
