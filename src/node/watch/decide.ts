import type { BlockDevice } from "#domain/block-device.ts";
import type { HoldStatus } from "#domain/ports/device-mapper.ts";
import type { HeldSight, Sight } from "./sight.ts";

/** The next step for one volume. After it, the volume is looked at again. */
export type Action =
  /** All is as it should be. */
  | { readonly do: "nothing" }
  /** The kernel is at it, or nobody can do anything now. */
  | { readonly do: "wait" }
  /** The connection waits for nothing, and the volume is not to be had: say so, look again later. */
  | {
      readonly do: "report";
      readonly state: "refused" | "failed" | "stale";
      readonly reason: string;
    }
  | { readonly do: "resume" }
  | { readonly do: "queue-again" }
  | { readonly do: "reinstate" }
  | { readonly do: "pass-errors" }
  | { readonly do: "prove-and-swap"; readonly device: BlockDevice }
  | { readonly do: "remount"; readonly device: BlockDevice }
  /** Device nodes in pods lead to another device. */
  | { readonly do: "withdraw" }
  /** The connection says that it is live, and its device does not answer. */
  | { readonly do: "reset"; readonly reason: string }
  | { readonly do: "rescan" }
  /** Disconnects first: what is there shows no namespace, or I/O waits in a part of it that is dead. */
  | { readonly do: "reconnect" }
  | { readonly do: "connect" }
  | { readonly do: "end-hold"; readonly reason: string };

/** A path that was spent by an outage is back after one; more than this many are no outage. */
const mostReinstatements = 3;
const firstRescans = 3;
const mostRescans = 30;

/** What to do about a volume. Source of the situations: observed on Linux 6.1 and 6.12. */
export function decide(sight: Sight): Action {
  const { hold, past, unanswered } = sight;
  if (hold === undefined)
    return unanswered === undefined ? withoutHold(sight) : makeAnew(sight, unanswered.reason);
  if (unanswered === undefined) {
    if (hold.suspended && isOnItsDevice(sight, hold)) return { do: "resume" };
    if (isWell(sight, hold)) return { do: "nothing" };
  }
  if (past.ended !== undefined) return afterEnd(sight, past.ended);
  const reason = reasonToEnd(sight);
  if (reason !== undefined) return { do: "end-hold", reason };
  return unanswered === undefined ? withHold(sight, hold) : makeAnew(sight, unanswered.reason);
}

function makeAnew({ past }: Sight, reason: string): Action {
  return past.mayReset ? { do: "reset", reason } : { do: "wait" };
}

function isOnItsDevice({ connection: { device } }: Sight, { status }: HeldSight): boolean {
  return device !== undefined && device.majorMinor === status?.device;
}

/** On its device, which answers, with all of its paths, and ready for the next outage. */
function isWell(sight: Sight, hold: HeldSight): boolean {
  const { queueing = false, paths = [] } = hold.status ?? {};
  return isOnItsDevice(sight, hold) && queueing && paths.every((path) => path === "active");
}

function reasonToEnd({ volume, lostMs, past }: Sight): string | undefined {
  const { ioHoldSeconds, onApplianceRestart } = volume.reconnect;
  if (past.attachmentEnded) return "its attachment to this node is gone, or is another one by now";
  if (past.newIdentity && onApplianceRestart === "fail")
    return "the appliance may have crashed, and onApplianceRestart is fail";
  if (ioHoldSeconds !== undefined && lostMs >= ioHoldSeconds * 1_000)
    return `ioHoldSeconds (${ioHoldSeconds}) have passed`;
  return undefined;
}

/** Disconnecting may have failed. What comes back later finds file systems that have seen errors. */
function afterEnd({ connection }: Sight, ended: string): Action {
  if (connection.state === "connecting") return { do: "end-hold", reason: ended };
  return { do: "report", state: "failed", reason: ended };
}

/** A hold that is suspended is parked, or a change of it was interrupted: it waits, whatever the kernel shows of its queue. */
function withHold(sight: Sight, hold: HeldSight): Action {
  const { connection } = sight;
  const { device } = connection;
  const { status, suspended } = hold;
  if (connection.state === "connecting" || status === undefined) return { do: "wait" };
  if (isOnItsDevice(sight, hold)) return onItsDevice(sight, status);
  if (!status.queueing && !suspended)
    return { do: "report", state: "failed", reason: "its hold was ended before" };
  if (device === undefined) return noDevice(sight);
  if (sight.past.refused?.majorMinor === device.majorMinor)
    return { do: "report", state: "refused", reason: sight.past.refused.reason };
  return connection.laggard === true ? { do: "reconnect" } : { do: "prove-and-swap", device };
}

/**
 * A path that failed beside one that works has met the loss of one address of several. Both failed without an outage is a block that
 * cannot be read: retrying it for ever would hold up the whole volume for one block. One of the connection's queues may be dead as
 * well, which a connection that was made anew excludes: only of such a one errors are passed on. A hold that does not queue was left
 * so in the middle of passing an error on.
 */
function onItsDevice({ past }: Sight, { queueing, paths }: HoldStatus): Action {
  if (!queueing) return { do: "queue-again" };
  if (paths.includes("active")) return { do: "reinstate" };
  if (past.reinstated > 0 && !past.isNewlyMade)
    return { do: "reset", reason: "its paths have failed again" };
  return { do: past.reinstated < mostReinstatements ? "reinstate" : "pass-errors" };
}

function noDevice({ connection, past }: Sight): Action {
  if (connection.state === "none") return { do: "connect" };
  const rescans = Math.min(firstRescans * (past.reconnected + 1), mostRescans);
  return { do: past.rescanned < rescans ? "rescan" : "reconnect" };
}

function withoutHold(sight: Sight): Action {
  const { connection, mounted, past, volume, stale, strays } = sight;
  const { device } = connection;
  const isBlock = volume.use.access.type === "block";
  if (connection.state === "connecting") return { do: "wait" };
  if (strays.length > 0) return { do: "withdraw" };
  // So it is after a reboot, until the CO stages the volume again: nobody waits for it, and a mount that is made here
  // would be one without a hold.
  const isUnfinished = stale.length > 0 || volume.remounting === true;
  if (!isBlock && mounted === undefined && !isUnfinished) return { do: "nothing" };
  if (past.attachmentEnded && connection.state === "none")
    return { do: "report", state: "failed", reason: "its attachment to this node has ended" };
  if (device === undefined) return noDevice(sight);
  if ((isBlock || mounted === device.majorMinor) && !isUnfinished) return { do: "nothing" };
  if (past.refused?.majorMinor === device.majorMinor)
    return { do: "report", state: "stale", reason: past.refused.reason };
  return { do: "remount", device };
}
