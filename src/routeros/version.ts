/** What decides about features; patch levels do not. */
export interface RouterOsVersion {
  readonly major: number;
  readonly minor: number;
}

/** Reads `7.24.1 (stable)`, `7.21rc2`, `7.22beta4 (testing)`; `undefined` for anything else. */
export function parseVersion(text: string): RouterOsVersion | undefined {
  const [, major, minor] = /^(\d{1,3})\.(\d{1,3})(?!\d)/.exec(text.trim()) ?? [];
  if (major === undefined || minor === undefined) return undefined;
  return { major: Number(major), minor: Number(minor) };
}

const unitSeconds: Readonly<Record<string, number>> = {
  w: 604_800,
  d: 86_400,
  h: 3_600,
  m: 60,
  s: 1,
};

/** Seconds of a RouterOS time: `06:42:44`, `1d02:03:04`, `3w1d02:03:04`, `2d5h3m`. */
export function parseUptime(text: string): number | undefined {
  const [, dated = "", clock] = /^((?:\d+[wdhms])*)(\d+:\d{2}:\d{2})?$/.exec(text.trim()) ?? [];
  if (dated === "" && clock === undefined) return undefined;
  const [hours = 0, minutes = 0, seconds = 0] = (clock ?? "").split(":").map(Number);
  const days = [...dated.matchAll(/(\d+)([wdhms])/g)].reduce(
    (sum, [, count, unit = "s"]) => sum + Number(count) * (unitSeconds[unit] ?? 0),
    0,
  );
  return days + hours * 3_600 + minutes * 60 + seconds;
}
