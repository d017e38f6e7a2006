import { type JsonRecord, textOf } from "./json.ts";

/** How an appliance's local time relates to UTC. */
export interface ApplianceClock {
  /** A name of the tz database, or `manual`. */
  readonly zone: string;
  /** Seconds ahead of UTC now. */
  readonly offsetSeconds: number | undefined;
}

/** From `/system/clock` (RouterOS manual, "Clock"). */
export function clockOf(record: JsonRecord): ApplianceClock {
  return {
    zone: textOf(record, "time-zone-name"),
    offsetSeconds: offsetOf(textOf(record, "gmt-offset")),
  };
}

/**
 * Reads `2025-11-11 14:32:41`, local time without a zone, as RouterOS 7.16 and later print it. The zone's own
 * rules decide, so that a time of last summer is right in winter; of an hour that a clock put back shows
 * twice, the first is meant. With a zone set by hand only the present offset is known.
 * @returns milliseconds since the Unix epoch; `undefined` when text or clock cannot be read.
 */
export function instantOf(
  text: string,
  { zone, offsetSeconds }: ApplianceClock,
): number | undefined {
  const local = /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/.test(text)
    ? Date.parse(`${text.replace(" ", "T")}Z`)
    : Number.NaN;
  if (Number.isNaN(local)) return undefined;
  const format = formatFor(zone);
  if (format !== undefined) return inZone(local, format);
  return offsetSeconds === undefined ? undefined : local - offsetSeconds * 1_000;
}

const formats = new Map<string, Intl.DateTimeFormat | undefined>();

function formatFor(zone: string): Intl.DateTimeFormat | undefined {
  if (!formats.has(zone)) formats.set(zone, newFormat(zone));
  return formats.get(zone);
}

function newFormat(timeZone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "medium" });
  } catch {
    return undefined;
  }
}

/** The offset before the local time is tried first: only one of the two gives that local time, or both do. */
function inZone(local: number, format: Intl.DateTimeFormat): number {
  const day = 86_400_000;
  const [earlier, later] = [local - day, local + day].map((at) => local - offsetAt(at, format));
  const guesses = [earlier, later].filter((guess) => guess !== undefined);
  return guesses.find((guess) => guess + offsetAt(guess, format) === local) ?? guesses[0] ?? local;
}

/** Milliseconds ahead of UTC; `at` is rounded to the second, which is all that the format shows. */
function offsetAt(at: number, format: Intl.DateTimeFormat): number {
  const shown = Date.parse(`${format.format(at).replace(" ", "T")}Z`);
  return shown - Math.floor(at / 1_000) * 1_000;
}

/**
 * `+02:00` as the manual prints it; seconds in scripts, where those below zero may come as unsigned 32-bit
 * numbers (scripts in the field expect both).
 */
function offsetOf(text: string): number | undefined {
  const [, sign, hours, minutes] = /^([+-]?)(\d{1,2}):(\d{2})(?::\d{2})?$/.exec(text) ?? [];
  if (hours !== undefined && minutes !== undefined) {
    const seconds = Number(hours) * 3_600 + Number(minutes) * 60;
    return sign === "-" ? -seconds : seconds;
  }
  if (!/^-?\d{1,10}$/.test(text)) return undefined;
  return Number(text) > 0x7fffffff ? Number(text) - 0x1_0000_0000 : Number(text);
}
