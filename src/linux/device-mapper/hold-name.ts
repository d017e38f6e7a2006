import { isNqn, type Nqn } from "#domain/nqn.ts";

/** Marks devices as ours. Never `mpath-`, which would hand them to the host's multipathd. */
const prefix = "rds-csi-";

/** A device's name has at most 127 bytes, its UUID 128 (linux/dm-ioctl.h: DM_NAME_LEN, DM_UUID_LEN). */
const maxNameLength = 127;

/**
 * Whether an NQN fits whole into the name of a hold: up to 119 characters. Those that this driver makes have at
 * most 109; a longer one is served without a hold, for a shortened name could stand for two volumes.
 */
export function canHold(nqn: Nqn): boolean {
  return prefix.length + nqn.length <= maxNameLength;
}

/** Name and UUID of the hold of an NQN; every character of an NQN may stand in both (dmsetup(8), "--manglename"). */
export function holdName(nqn: Nqn): string {
  return `${prefix}${nqn}`;
}

/** The NQN that a device's UUID carries, or `undefined` for a device that is not ours. */
export function nqnOfHold(uuid: string): Nqn | undefined {
  const nqn = uuid.slice(prefix.length);
  return uuid.startsWith(prefix) && isNqn(nqn) ? nqn : undefined;
}
