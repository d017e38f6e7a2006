import type { CapacityLimits } from "#domain/ports/appliances.ts";
import type { Survey } from "#domain/volume.ts";
import { formatPercent } from "#lib/percent.ts";

/** Exports come back with this many times the room that took them off: what waited has to be written, too. */
const hysteresis = 2;

/** Assumed: no pool is filled faster than this, bytes per second, nor in less time. */
const fastestFill = 4e9;
const shortestFillSeconds = 100;
/** From the first look below the mark to the first export, and then for each: what commands take on an appliance. */
const untilFirstMs = 1_500;
const takingOffMs = 200;

const shortestMs = 1_000;
const longestMs = 30_000;

export type Verdict = "open" | "shut";

/**
 * Whether volumes may be written to: `shut` below the emergency mark, and from then on until there is twice as
 * much room. That they were halted is read off the volumes, so that every replica and every later life of the
 * controller comes to the same answer.
 */
export function verdictOn(
  { pool: { sizeBytes, freeBytes }, volumes }: Survey,
  { emergency }: CapacityLimits,
): Verdict {
  const mark = sizeBytes * emergency;
  if (freeBytes < mark) return "shut";
  const isHalted = volumes.some(({ tag }) => tag.halted);
  return isHalted && freeBytes < mark * hysteresis ? "shut" : "open";
}

/** Milliseconds after which it is early enough to look again at an open pool, and to take all exports off. */
export function calmMs(
  { pool: { sizeBytes, freeBytes }, volumes }: Survey,
  { emergency }: CapacityLimits,
): number {
  if (emergency === 0) return longestMs;
  const fill = Math.min(fastestFill, sizeBytes / shortestFillSeconds);
  const untilMark = ((freeBytes - sizeBytes * emergency) / fill) * 1_000;
  const exports = volumes.filter(({ exported }) => exported.enabled).length;
  const early = untilFirstMs + exports * takingOffMs;
  return Math.min(Math.max(untilMark - early, shortestMs), longestMs);
}

/** For people: the share of a pool that has to be free for its exports to come back. */
export function roomToOpen({ emergency }: CapacityLimits): string {
  return formatPercent(emergency * hysteresis);
}
