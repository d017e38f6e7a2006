import type { StagedVolume } from "#domain/staged-volume.ts";
import type { VolumeCondition } from "../volume-health.ts";
import type { Action } from "./decide.ts";
import type { Sight } from "./sight.ts";

/** What to tell of a volume, before a step is taken. */
export function conditionFor(action: Action, sight: Sight, now: number): VolumeCondition {
  const { nqn } = sight.volume.target;
  const since = new Date(now - sight.lostMs).toISOString();
  if (action.do === "nothing") return working;
  if (action.do === "end-hold") return failed(since, action.reason);
  if (action.do !== "report")
    return {
      state: "waiting",
      message: `The volume "${nqn}" is being brought back since ${since}: reads and writes wait`,
    };
  if (action.state === "failed") return failed(since, action.reason);
  return {
    state: action.state,
    message: `What came back as "${nqn}" is not the volume: ${action.reason}; reads and writes wait since ${since}`,
  };
}

const working: VolumeCondition = {
  state: "connected",
  message: "The volume is connected and answers",
};

/** Of a volume that is well. */
export function conditionOfWell({ doubtfulSince }: StagedVolume): VolumeCondition {
  if (doubtfulSince === undefined) return working;
  return {
    state: "doubtful",
    message: `The appliance may have crashed: writes acknowledged before ${doubtfulSince} may be lost`,
  };
}

export function leftBehind(targets: readonly string[]): VolumeCondition {
  const places = targets.map((target) => `"${target}"`).join(", ");
  return {
    state: "stale",
    message: `The volume is back under another device, and pods keep a dead mount at ${places}: restart them`,
  };
}

function failed(since: string, reason: string): VolumeCondition {
  return {
    state: "failed",
    message: `Reads and writes fail, for the connection is lost since ${since} and ${reason}: what was not written is discarded, and pods that use the volume must be restarted`,
  };
}
