/** A name of the tz database; what a router with a zone set by hand shows is UTC here. */
export const manualZone = "manual";

export function hostZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

export function isZone(zone: string): boolean {
  try {
    formatFor(zone);
    return true;
  } catch {
    return false;
  }
}

/** `2025-11-11 14:32:41`: local time without a zone, as RouterOS 7.16 and later print it. */
export function localTime(date: Date, zone: string): string {
  return formatFor(zone).format(date);
}

/** `+02:00`: how far the zone is ahead of UTC at `date`. */
export function gmtOffset(date: Date, zone: string): string {
  const local = Date.parse(`${localTime(date, zone).replace(" ", "T")}Z`);
  const minutes = Math.round((local - date.getTime()) / 60_000);
  const two = (value: number): string => String(Math.trunc(value)).padStart(2, "0");
  const size = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${two(size / 60)}:${two(size % 60)}`;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatFor(zone: string): Intl.DateTimeFormat {
  const timeZone = zone === manualZone ? "UTC" : zone;
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  // Sweden writes dates as RouterOS does.
  const format = new Intl.DateTimeFormat("sv-SE", {
    timeZone,
    dateStyle: "short",
    timeStyle: "medium",
  });
  formats.set(timeZone, format);
  return format;
}
