/**
 * How long mkfs or a repair may run, in milliseconds: the repair of a large file system after a crash takes hours. Both may be
 * ended and started again, and end before that when the volume leaves the node.
 */
export const longestToolMs = 24 * 3_600_000;
