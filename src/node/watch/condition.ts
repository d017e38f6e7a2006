import type { PublishedPath, StagedVolume } from "#domain/staged-volume.ts";
import type { VolumeCondition } from "../volume-health.ts";
import type { Action } from "./decide.ts";
import type { Sight } from "./sight.ts";

/** What to tell of a volume, before a step is taken. */
export function conditionFor(action: Action, sight: Sight, now: Date): VolumeCondition {
  const { nqn } = sight.volume.target;
  const since = new Date(now.getTime() - sight.lostMs).toISOString();
  if (action.do === "nothing") return conditionOfWell(sight.volume);
  if (action.do === "end-hold") return failed(since, action.reason);
  if (action.do !== "report")
    return {
      state: "waiting",
      message: `The volume "${nqn}" is being brought back since ${since}: reads and writes ${fate(sight)}`,
      ...(sight.unanswered !== undefined && { obstacle: sight.unanswered.reason }),
    };
  if (action.state === "failed") return failed(since, action.reason);
  return {
    state: action.state,
    message: `What came back as "${nqn}" is not the volume: ${action.reason}; reads and writes ${fate(sight)} since ${since}`,
  };
}

/** Without a hold, nothing waits once the kernel has given up. */
function fate({ hold, connection, unanswered }: Sight): string {
  if (hold !== undefined || connection.state === "connecting") return "wait";
  return unanswered === undefined ? "fail" : "get no answer";
}

/**
 * Of a volume that is well: what its record keeps is to be told until it is over, and what was last seen of its disk.
 * @param passedErrorsAt - When the target last could not serve a block.
 */
export function conditionOfWell(volume: StagedVolume, passedErrorsAt?: Date): VolumeCondition {
  const { doubtfulSince, published = [], reconnect } = volume;
  const dead = published.filter(({ deadSince }) => deadSince !== undefined);
  const doubt =
    doubtfulSince === undefined
      ? []
      : [`The appliance may have crashed: writes acknowledged before ${doubtfulSince} may be lost`];
  const damage = passedErrorsAt === undefined ? [] : [damaged(passedErrorsAt)];
  const also = [...doubt, ...damage];
  if (dead.length > 0) return { state: "stale", message: [leftBehind(dead), ...also].join("; ") };
  if (doubt.length > 0) return { state: "doubtful", message: also.join("; ") };
  if (damage.length > 0) return { state: "damaged", message: damage.join() };
  return {
    state: "connected",
    message: reconnect.mode === "transparent" ? working : `${working}; ${unheld}`,
  };
}

const working = "The volume is connected and answers";
const unheld =
  "it has no hold, so containers must be restarted after an outage that ends its device";

function damaged(at: Date): string {
  return `The target could not read or write a block of the volume, last at ${at.toISOString()}: whoever uses that block gets an error, the rest works (the kernel's log names the sector)`;
}

function leftBehind(paths: readonly PublishedPath[]): string {
  const places = paths.map(({ target, deadSince }) => `"${target}" (before ${deadSince})`);
  return `The volume is back under another device, and containers that were started before that keep a dead one at ${places.join(", ")}: restart them`;
}

function failed(since: string, reason: string): VolumeCondition {
  return {
    state: "failed",
    message: `Reads and writes fail, for the connection is lost since ${since} and ${reason}: what was not written is discarded, and pods that use the volume must be restarted`,
  };
}
