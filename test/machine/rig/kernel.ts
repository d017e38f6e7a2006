import { release } from "node:os";

const [major = 0, minor = 0] = release().split(".").map(Number);

/** Whether the machine's kernel is older than this one: `isOlderThan(6, 2)`. */
export function isOlderThan(thatMajor: number, thatMinor: number): boolean {
  return major < thatMajor || (major === thatMajor && minor < thatMinor);
}

/** Why what rests on `strict_limit` is not played. */
export const noStrictLimit =
  isOlderThan(6, 2) && "Linux before 6.2 has no dirty limit for one device alone (strict_limit)";

/** Why what rests on it is not played. Seen: 6.12 refuses, 6.1 does not. */
export const allowsTwoHostIds =
  isOlderThan(6, 5) && "this kernel lets one host NQN have two host ids";
