import { accessModes, type VolumeUse } from "#domain/access-mode.ts";

/**
 * Whether two capabilities ask for the same staging. The single-node writer modes differ only in how often a
 * volume may be published, and a newer kubelet names another one for a volume that it staged before.
 */
export function isSameStaging(one: VolumeUse, other: VolumeUse): boolean {
  return describeStaging(one) === describeStaging(other);
}

function describeStaging({ accessMode, access }: VolumeUse): string {
  const { writes, nodes } = accessModes[accessMode];
  const mounted = access.type === "mount" ? [access.fsType, ...access.mountFlags.toSorted()] : [];
  return JSON.stringify([access.type, writes, nodes, ...mounted]);
}
