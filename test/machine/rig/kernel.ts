import { release } from "node:os";

const [major = 0, minor = 0] = release().split(".").map(Number);

function isOlderThan(thatMajor: number, thatMinor: number): boolean {
  return major < thatMajor || (major === thatMajor && minor < thatMinor);
}

/** Whether a device can have a dirty limit of its own. Without it, it may have what the whole node may. */
export const hasStrictLimit = !isOlderThan(6, 2);

/** Why what rests on it is not played. Seen: 6.12 refuses, 6.1 does not. */
export const allowsTwoHostIds =
  isOlderThan(6, 5) && "this kernel lets one host NQN have two host ids";
