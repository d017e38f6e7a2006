import type { Version } from "#sim/console/menu.ts";

/**
 * Reads a RouterOS version such as `7.24.1 (stable)`, `7.21` or `7.22rc1`.
 * @throws {RangeError} for anything else, and for versions that the simulator has no profile of.
 */
export function parseVersion(text: string): Version {
  const match = /^(\d+)\.(\d+)(?:\.(\d+))?(?:(?:beta|rc)\d+)?(?: \([a-z-]+\))?$/.exec(text);
  if (match === null) throw new RangeError(`Cannot read the RouterOS version "${text}"`);
  const version = {
    major: Number(match[1]),
    minor: Number(match[2]),
    patch: Number(match[3] ?? 0),
  };
  if (version.major !== 7 || version.minor < 16)
    throw new RangeError(`Cannot simulate RouterOS "${text}": profiles exist for 7.16 and later`);
  return version;
}

/** Whether `version` is RouterOS 7.`minor` or later. */
export function isSince(version: Version, minor: number): boolean {
  return version.major > 7 || (version.major === 7 && version.minor >= minor);
}
