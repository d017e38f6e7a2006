import type { Version } from "./menu.ts";

/** Whether a RouterOS version is `major.minor` or later. */
export function isAtLeast(version: Version, major: number, minor: number): boolean {
  return version.major === major ? version.minor >= minor : version.major > major;
}
