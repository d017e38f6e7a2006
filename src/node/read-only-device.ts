import { accessModes, type VolumeUse } from "#domain/access-mode.ts";

/** The file system of a single reader may replay its journal; whatever else only reads must not write. */
export function isReadOnlyDevice({ access, accessMode }: VolumeUse): boolean {
  const { writes, nodes } = accessModes[accessMode];
  return !writes && (access.type === "block" || nodes !== "one");
}
