import { Duration } from "./value.ts";

const millisecondsPer: Readonly<Record<string, number>> = {
  w: 604_800_000,
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
};

/** RouterOS keeps times as 64-bit nanoseconds; what does not fit is no time. */
const longest = 9_223_372_036_000;

/**
 * Reads a time literal: units add up in any order (`1m1m` is two minutes), or a clock with optional
 * weeks and days before it (`1w1d00:00:02.5`). Observed on RouterOS 7.23.3.
 */
export function parseDuration(text: string): Duration | undefined {
  const match = /^((?:\d+(?:w|d|h|ms|m|s))*)(?:(\d+):(\d+)(?::(\d+)(?:\.(\d{1,3}))?)?)?$/.exec(
    text,
  );
  if (match === null || text === "") return undefined;
  const [, units = "", hours = "0", minutes = "0", seconds = "0", fraction = ""] = match;
  let total = Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Number(seconds) * 1_000;
  total += Number(fraction.padEnd(3, "0"));
  for (const [, count, unit] of units.matchAll(/(\d+)(w|d|h|ms|m|s)/g))
    total += Number(count) * (millisecondsPer[unit ?? ""] ?? 0);
  return total > longest ? undefined : new Duration(total);
}

/** `00:01:01`, `1w1d00:00:00`, `00:00:01.001`: as scripts and JSON show times. */
export function clockText({ milliseconds }: Duration): string {
  const { w, d, h, m, s, ms } = split(Math.abs(milliseconds));
  const days = `${w === 0 ? "" : `${w}w`}${d === 0 ? "" : `${d}d`}`;
  const clock = [h, m, s].map((part) => String(part).padStart(2, "0")).join(":");
  const fraction = ms === 0 ? "" : `.${String(ms).padStart(3, "0")}`;
  return `${milliseconds < 0 ? "-" : ""}${days}${clock}${fraction}`;
}

/** `48s149ms`, `2w1d6h`, `0ms`: as the human print modes show times. */
export function unitText({ milliseconds }: Duration): string {
  const parts = Object.entries(split(Math.abs(milliseconds)));
  const shown = parts.filter(([, count]) => count !== 0).map(([unit, count]) => `${count}${unit}`);
  if (shown.length === 0) return "0ms";
  return `${milliseconds < 0 ? "-" : ""}${shown.join("")}`;
}

function split(milliseconds: number) {
  return {
    w: Math.floor(milliseconds / 604_800_000),
    d: Math.floor(milliseconds / 86_400_000) % 7,
    h: Math.floor(milliseconds / 3_600_000) % 24,
    m: Math.floor(milliseconds / 60_000) % 60,
    s: Math.floor(milliseconds / 1_000) % 60,
    ms: milliseconds % 1_000,
  };
}
